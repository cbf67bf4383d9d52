"""Go's NO_PROXY: a table read off httpproxy, and properties."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, strategies as st

from exporters.toolkit.errors import StartError
from shipper.config.proxy import ProxyConfig
from shipper.config.url import parse_proxy_url
from shipper.http.url import read_url
from shipper.loki.configure import proxy_rules
from shipper.loki.proxy import NoProxy, Proxy, ProxyRules


# The list, the URL that is asked, whether it goes past the proxy.
TABLE = [
    ("", "http://example.com/", False),
    # loopback never has one
    ("", "http://localhost:3100/", True),
    ("", "http://127.0.0.1/", True),
    ("", "http://127.9.9.9/", True),
    ("", "http://[::1]:3100/", True),
    ("", "http://[::ffff:127.0.0.1]/", True),
    ("", "http://10.0.0.1/", False),
    # a name is for itself and what is below it
    ("foo.com", "http://foo.com/", True),
    ("foo.com", "http://bar.foo.com/", True),
    ("foo.com", "http://a.bar.foo.com/", True),
    ("foo.com", "http://xfoo.com/", False),
    ("foo.com", "http://foo.com.org/", False),
    ("foo.com", "https://FOO.com/", True),
    (" FOO.com ,x", "http://foo.com/", True),
    # a dot or a star in front: only for what is below
    (".foo.com", "http://foo.com/", False),
    (".foo.com", "http://bar.foo.com/", True),
    ("*.foo.com", "http://foo.com/", False),
    ("*.foo.com", "http://bar.foo.com/", True),
    ("*foo.com", "http://foo.com/", False),
    ("*foo.com", "http://barfoo.com/", False),
    # everything
    ("*", "http://foo.com/", True),
    ("*", "http://10.0.0.1/", True),
    ("a, * ,b", "http://foo.com/", True),
    # ports
    ("foo.com:80", "http://foo.com/", True),
    ("foo.com:80", "http://foo.com:3100/", False),
    ("foo.com:443", "https://foo.com/", True),
    ("foo.com:443", "http://foo.com/", False),
    ("foo.com:", "http://foo.com:3100/", True),
    (".foo.com:3100", "http://bar.foo.com:3100/", True),
    (":80", "http://foo.com/", False),
    ("10.0.0.1:80", "http://10.0.0.1/", True),
    ("10.0.0.1:80", "http://10.0.0.1:81/", False),
    ("[2001:db8::1]:80", "http://[2001:db8::1]/", True),
    ("[2001:db8::1]:80", "http://[2001:db8::1]:81/", False),
    # addresses are no texts
    ("10.0.0.1", "http://10.0.0.1:3100/", True),
    ("10.0.0", "http://10.0.0.1/", False),
    ("0.0.1", "http://10.0.0.1/", False),
    ("2001:db8::1", "http://[2001:0db8:0::1]/", True),
    ("[2001:db8::1]", "http://[2001:db8::1]/", False),
    ("::ffff:10.0.0.1", "http://10.0.0.1/", True),
    ("10.0.0.1", "http://[::ffff:10.0.0.1]/", True),
    # networks
    ("10.0.0.0/8", "http://10.1.2.3/", True),
    ("10.9.9.9/8", "http://10.1.2.3/", True),
    ("10.0.0.0/8", "http://11.1.2.3/", False),
    ("10.0.0.0/8", "http://[::ffff:10.1.2.3]/", True),
    ("::ffff:10.0.0.0/104", "http://10.1.2.3/", True),
    ("2001:db8::/32", "http://[2001:db8::9]/", True),
    ("2001:db8::/32", "http://10.1.2.3/", False),
    ("10.0.0.0/8", "http://foo.com/", False),
    ("10.0.0.0/255.0.0.0", "http://10.1.2.3/", False),
    ("10.0.0.0/33", "http://10.1.2.3/", False),
    # other alphabets
    ("größe.de", "http://größe.de/", True),
    ("größe.de", "http://a.xn--gre-6ka8i.de/", True),
    # malformed entries harm nothing
    (",,;,*.,.,[,],%,foo.com", "http://foo.com/", True),
]


@pytest.mark.parametrize(("text", "url", "past"), TABLE)
def test_no_proxy(text: str, url: str, past: bool) -> None:
    proxy = Proxy("http://p")
    rules = ProxyRules(proxy, proxy, NoProxy.parse(text))
    assert rules.choose(read_url(url)) == (None if past else proxy)


labels = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
names = st.lists(labels, min_size=2, max_size=4).map(".".join)
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@given(names, names, st.integers(1, 65535))
def test_a_name_is_for_itself_and_what_is_below(a: str, b: str, port: int) -> None:
    rules = NoProxy.parse(a)
    assert rules.exempts(a, port)
    assert rules.exempts(f"{b}.{a}", port)
    assert rules.exempts(b, port) == (b == a or b.endswith("." + a))
    below = NoProxy.parse(f".{a}")
    assert below.exempts(b, port) == b.endswith("." + a)


@given(addresses, addresses, st.integers(0, 32))
def test_networks_are_what_ipaddress_says(
    base: ipaddress.IPv4Address | ipaddress.IPv6Address,
    asked: ipaddress.IPv4Address | ipaddress.IPv6Address,
    prefix: int,
) -> None:
    network = ipaddress.ip_network(f"{base}/{prefix}", strict=False)
    inside = asked.version == network.version and asked in network
    mapped = getattr(asked, "ipv4_mapped", None)
    if mapped is None and not asked.is_loopback:
        found = NoProxy.parse(f"{base}/{prefix}").exempts(str(asked), 80)
        assert found == inside


@given(st.text(), st.text(max_size=30), st.integers(0, 65535))
def test_no_list_and_no_host_is_a_traceback(text: str, host: str, port: int) -> None:
    NoProxy.parse(text).exempts(host, port)


def rules(config: ProxyConfig, **environ: str) -> ProxyRules:
    return proxy_rules(config, environ)


def test_a_proxy_without_exceptions_is_for_loopback_too() -> None:
    config = ProxyConfig(proxy_url=parse_proxy_url("http://u:p@p:1"))
    found = rules(config).choose(read_url("http://127.0.0.1/"))
    assert found == Proxy("http://p:1", "u", "p")
    assert found.authorization == "Basic dTpw"


def test_with_exceptions_loopback_is_one() -> None:
    proxy = parse_proxy_url("p:1")
    found = rules(ProxyConfig(proxy_url=proxy, no_proxy="foo.com"))
    assert found.choose(read_url("http://127.0.0.1/")) is None
    assert found.choose(read_url("https://foo.com/")) is None
    assert found.choose(read_url("https://bar.com/")) == Proxy("http://p:1")


def test_the_environment_is_read_only_when_asked() -> None:
    environ = {"HTTP_PROXY": "a:1", "HTTPS_PROXY": "b:2", "no_proxy": "foo.com"}
    assert rules(ProxyConfig(), **environ) == ProxyRules()
    found = rules(ProxyConfig(proxy_from_environment=True), **environ)
    assert found.choose(read_url("http://bar.com/")) == Proxy("http://a:1")
    assert found.choose(read_url("https://bar.com/")) == Proxy("http://b:2")
    assert found.choose(read_url("https://foo.com/")) is None
    assert found.choose(read_url("https://localhost/")) is None


def test_capitals_go_first_and_empty_ones_do_not_count() -> None:
    config = ProxyConfig(proxy_from_environment=True)
    url = read_url("http://bar.com/")
    assert rules(config, HTTP_PROXY="a", http_proxy="b").choose(url) == Proxy(
        "http://a"
    )
    assert rules(config, HTTP_PROXY="", http_proxy="b").choose(url) == Proxy("http://b")
    assert rules(config).choose(url) is None


def test_a_proxy_of_the_environment_that_is_none() -> None:
    with pytest.raises(StartError, match="HTTPS_PROXY: SOCKS proxies are not") as told:
        rules(
            ProxyConfig(proxy_from_environment=True),
            HTTPS_PROXY="socks5://u:hunter2@p:1",
        )
    assert "hunter2" not in str(told.value)
