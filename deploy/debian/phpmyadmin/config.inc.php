<?php
/** phpMyAdmin from the environment, under the names and files of the official image. */

require_once '/etc/phpmyadmin/config.secret.inc.php';

$cfg['AllowArbitraryServer'] = getenv('PMA_ARBITRARY') === '1';
$cfg['TempDir'] = '/var/www/html/tmp';
if (getenv('PMA_ABSOLUTE_URI')) {
    $cfg['PmaAbsoluteUri'] = getenv('PMA_ABSOLUTE_URI');
}
$cfg['Servers'][1] = [
    'auth_type' => 'cookie',
    'host' => getenv('PMA_HOST') ?: 'db',
    'port' => getenv('PMA_PORT') ?: '3306',
    'AllowNoPassword' => true,
    'compress' => false,
];
if (getenv('PMA_USER')) {
    $cfg['Servers'][1]['auth_type'] = 'config';
    $cfg['Servers'][1]['user'] = getenv('PMA_USER');
    $cfg['Servers'][1]['password'] = getenv('PMA_PASSWORD') ?: '';
}
if (file_exists('/etc/phpmyadmin/config.user.inc.php')) {
    include '/etc/phpmyadmin/config.user.inc.php';
}
