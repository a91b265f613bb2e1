<?php
$config = ['people' => ['exampleauth:UserPass', 'jane:quince' => json_decode(getenv('ATTRIBUTES'), true)]];
