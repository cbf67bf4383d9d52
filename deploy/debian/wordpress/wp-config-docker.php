<?php
/**
 * Configuration from the environment, under the names of the official image:
 * WORDPRESS_DB_HOST, _DB_USER, _DB_PASSWORD, _DB_NAME, _TABLE_PREFIX, _DEBUG,
 * _CONFIG_EXTRA and the keys and salts; each also as NAME_FILE.
 */

function environment(string $name, string $default): string
{
    $file = getenv($name . '_FILE');
    if ($file !== false && $file !== '') {
        return rtrim(file_get_contents($file), "\r\n");
    }
    $value = getenv($name);
    return $value === false ? $default : $value;
}

define('DB_NAME', environment('WORDPRESS_DB_NAME', 'wordpress'));
define('DB_USER', environment('WORDPRESS_DB_USER', 'wordpress'));
define('DB_PASSWORD', environment('WORDPRESS_DB_PASSWORD', ''));
define('DB_HOST', environment('WORDPRESS_DB_HOST', 'mysql'));
define('DB_CHARSET', environment('WORDPRESS_DB_CHARSET', 'utf8mb4'));
define('DB_COLLATE', environment('WORDPRESS_DB_COLLATE', ''));

// @salts: the entrypoint writes generated ones here, once per volume.

$table_prefix = environment('WORDPRESS_TABLE_PREFIX', 'wp_');
define('WP_DEBUG', environment('WORDPRESS_DEBUG', '') !== '');

if (($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https') {
    $_SERVER['HTTPS'] = 'on';
}
if (($extra = environment('WORDPRESS_CONFIG_EXTRA', '')) !== '') {
    eval($extra);
}

defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
