<?php
/** phpMyAdmin from the environment, under the names of the official image. */

$cfg['blowfish_secret'] = file_get_contents('/var/lib/phpmyadmin/blowfish_secret');
$cfg['AllowArbitraryServer'] = getenv('PMA_ARBITRARY') === '1';
$cfg['TempDir'] = '/var/lib/phpmyadmin/tmp';
if (getenv('PMA_ABSOLUTE_URI')) {
    $cfg['PmaAbsoluteUri'] = getenv('PMA_ABSOLUTE_URI');
}
$cfg['Servers'][1] = [
    'auth_type' => 'cookie',
    'host' => getenv('PMA_HOST') ?: 'db',
    'port' => getenv('PMA_PORT') ?: '3306',
    'AllowNoPassword' => false,
    'compress' => false,
];
if (getenv('PMA_USER')) {
    $cfg['Servers'][1]['auth_type'] = 'config';
    $cfg['Servers'][1]['user'] = getenv('PMA_USER');
    $cfg['Servers'][1]['password'] = getenv('PMA_PASSWORD') ?: '';
}
