<?php
// SimpleSAMLphp for one test: everything below HERE, reached at BASE, known by metadata/sp.xml to one service provider.
$here = getenv('HERE');
$config = [
    'baseurlpath' => getenv('BASE') . '/',
    'certdir' => "$here/cert/",
    'loggingdir' => "$here/log/",
    'datadir' => "$here/data/",
    'tempdir' => "$here/tmp",
    'metadatadir' => "$here/metadata/",
    'secretsalt' => 'of the tests',
    'auth.adminpassword' => 'nobody signs in with this one',
    'timezone' => 'UTC',
    'logging.handler' => 'errorlog',
    'enable.saml20-idp' => true,
    'module.enable' => ['core' => true, 'exampleauth' => true, 'saml' => true],
    'store.type' => 'phpsession',
    'session.phpsession.savepath' => "$here/tmp",
    'session.cookie.secure' => false,
    'metadata.sources' => [['type' => 'flatfile'], ['type' => 'xml', 'file' => "$here/metadata/sp.xml"]],
];
