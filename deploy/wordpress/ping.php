<?php
/**
 * Whether php-fpm answers: its ping page, asked for as nginx asks. An open port says
 * nothing, as the kernel takes connections for processes that hang. Exit code 0 or 1.
 */

$parameters = '';
$page = '/fpm-ping';
foreach (['REQUEST_METHOD' => 'GET', 'SCRIPT_NAME' => $page, 'SCRIPT_FILENAME' => $page] as $name => $value) {
    $parameters .= chr(strlen($name)) . chr(strlen($value)) . $name . $value;
}

/** A record of FastCGI: 1 begins a request, 4 has its parameters, 5 its body. */
function record(int $type, string $content = ''): string
{
    return pack('CCnnCx', 1, $type, 1, strlen($content), 0) . $content;
}

$connection = @stream_socket_client('tcp://127.0.0.1:9000', timeout: 2) ?: exit(1);
stream_set_timeout($connection, 3);
fwrite($connection, record(1, pack('nCx5', 1, 0)) . record(4, $parameters) . record(4) . record(5));
exit(str_contains(stream_get_contents($connection), "\r\n\r\npong") ? 0 : 1);
