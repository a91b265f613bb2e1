<?php
$persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
$metadata['https://simplesamlphp.corp.example/'] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'key.pem',
    'certificate' => 'cert.pem',
    'auth' => 'people',
    'NameIDFormat' => $persistent,
    // Called `attribute` in version 1, `identifyingAttribute` in version 2.
    'authproc' => [
        1 => [
            'class' => 'saml:AttributeNameID',
            'attribute' => 'uid',
            'identifyingAttribute' => 'uid',
            'Format' => $persistent,
        ],
    ],
];
