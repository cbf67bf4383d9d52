<?php
/**
 * WordPress asks itself: for events that are due (wp-cron.php), before it updates itself,
 * for its site health. Its address, say http://localhost:8080, is one of the host, where
 * this container is not: what is asked for there goes to nginx. Read by wp-config.php.
 */

$GLOBALS['wp_filter']['http_api_curl'][10]['loopback'] = [
    'accepted_args' => 1,
    'function' => function ($curl): void {
        $home = (array) parse_url(get_option('home')) + ['scheme' => 'http', 'host' => 'localhost'];
        $port = $home['port'] ?? ['http' => 80, 'https' => 443][$home['scheme']];
        // Without TLS in nginx there is a proxy that has it, which is reached by its name.
        $nginx = ['http' => 'nginx:8080', 'https' => getenv('LOOPBACK_HTTPS')][$home['scheme']];
        if ($nginx) {
            curl_setopt($curl, CURLOPT_CONNECT_TO, ["{$home['host']}:$port:$nginx"]);
        }
    },
];
