<?php
/** The key of phpMyAdmin's cookies: 32 characters. Here, it is read and not made anew. */

$cfg['blowfish_secret'] = file_get_contents('/run/secrets/phpmyadmin_secret');
