"""Status pages as the versions of php-fpm print them (fpm_status.c), values made up."""

from __future__ import annotations


def child(
    *,
    pid: int = 101,
    state: str = "Idle",
    requests: int = 7,
    duration: int = 850,
    method: str = "GET",
    uri: str = "/index.php",
    user: str = "-",
    script: str = "/srv/index.php",
    cpu: str | None = "12.50",
    start_time: str = "1700000100",
) -> str:
    last_cpu = "" if cpu is None else f'"last request cpu":{cpu},'
    return (
        f'{{"pid":{pid},"state":"{state}","start time":{start_time},'
        f'"start since":55,"requests":{requests},"request duration":{duration},'
        f'"request method":"{method}","request uri":"{uri}","content length":0,'
        f'"user":"{user}","script":"{script}",{last_cpu}'
        f'"last request memory":2097152}}'
    )


QUEUE = '"listen queue":2,"max listen queue":5,"listen queue len":511,'


def page(
    *children: str,
    queue: str = QUEUE,
    since: int = 155,
    peak: str = "",
    start_time: str = "1700000000",
) -> bytes:
    return (
        f'{{"pool":"www","process manager":"dynamic","start time":{start_time},'
        f'"start since":{since},"accepted conn":31,{queue}'
        '"idle processes":1,"active processes":2,"total processes":3,'
        '"max active processes":3,"max children reached":4,"slow requests":6'
        f'{peak}, "processes":[{",".join(children)}]}}'
    ).encode("utf-8", "surrogateescape")
