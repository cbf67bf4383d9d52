<?php
/** What the image leaves open: no log-in as root, and none without a password. */

foreach (array_keys($cfg['Servers']) as $server) {
    $cfg['Servers'][$server]['AllowNoPassword'] = false;
    $cfg['Servers'][$server]['AllowRoot'] = false;
}
$cfg['VersionCheck'] = false;
$cfg['SendErrorReports'] = 'never';
