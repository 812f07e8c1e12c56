"""Made-up people and what they do: browsers, names, pages, and properties and traits of many lengths."""

from __future__ import annotations

import random
import uuid
from typing import Any, NamedTuple

_NAMES = [
    "Ada", "Björn", "Chloé", "Dmitri", "Elif", "François", "Grace", "Hélène", "Ivan", "José", "Kenji", "Łukasz",
    "Māra", "Noor", "Ольга", "Per", "Qiu", "美咲", "Tomáš", "Zoë",
]  # fmt: skip
_WORDS = [
    "basket", "blue", "cable", "camera", "chair", "checkout", "coffee", "cotton", "desk", "discount", "express",
    "garden", "glass", "green", "jacket", "kitchen", "lamp", "large", "leather", "light", "linen", "oak", "order",
    "paper", "phone", "red", "returns", "running", "small", "sofa", "steel", "summer", "table", "winter",
]  # fmt: skip
EVENTS = [
    "Product Viewed", "Product Added", "Product List Viewed", "Order Completed", "Checkout Started", "Signed Up",
    "Button Clicked", "Video Playback Started", "Search Performed", "Application Opened", "Coupon Applied",
    "Café ouvert",
]  # fmt: skip
_LOCALES = ["en-US", "en-GB", "de-DE", "fr-FR", "es-ES", "ja-JP", "pt-BR", "sv-SE", "tr-TR", "zh-CN"]
_TIMEZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Tokyo", "America/Sao_Paulo", "Europe/Stockholm"]
_CHROMIUM = {
    '"Windows"': "Windows NT 10.0; Win64; x64",
    '"macOS"': "Macintosh; Intel Mac OS X 10_15_7",
    '"Linux"': "X11; Linux x86_64",
    '"Android"': "Linux; Android 10; K",
}


class Browser(NamedTuple):
    agent: str
    hints: dict[str, str]
    """The headers sec-ch-ua…, which only Chromium sends."""


class Person(NamedTuple):
    user_id: str
    anonymous_id: str
    name: str
    browser: Browser
    site: str
    locale: str
    timezone: str


def a_uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def a_person(rng: random.Random) -> Person:
    user_id = rng.choice(
        [f"user-{rng.randrange(10**6)}", f"{rng.randrange(10**9)}", a_uuid(rng), f"u{rng.random():.12f}"]
    )
    site = f"https://{rng.choice(('www', 'shop', 'app', 'blog'))}.{rng.choice(_WORDS)}-{rng.choice(_WORDS)}.example"
    return Person(
        user_id, a_uuid(rng), rng.choice(_NAMES), _a_browser(rng), site, rng.choice(_LOCALES), rng.choice(_TIMEZONES)
    )


def _a_browser(rng: random.Random) -> Browser:
    version = rng.randrange(118, 157)
    maker = rng.choices(("chrome", "safari", "firefox"), (70, 20, 10))[0]
    if maker == "firefox":
        return Browser(
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0", {}
        )
    if maker == "safari":
        device = f"iPhone; CPU iPhone OS {rng.randrange(15, 19)}_{rng.randrange(8)} like Mac OS X"
        webkit = f"AppleWebKit/605.1.{rng.randrange(10, 16)} (KHTML, like Gecko) Version/17.{rng.randrange(7)}"
        return Browser(f"Mozilla/5.0 ({device}) {webkit} Mobile/15E{rng.randrange(100, 300)} Safari/604.1", {})
    platform = rng.choice(list(_CHROMIUM))
    mobile = platform == '"Android"'
    build = f"{version}.0.{rng.randrange(4000, 7000)}.{rng.randrange(10, 200)}"
    engine = f"AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{build}{' Mobile' if mobile else ''} Safari/537.36"
    hints = {
        "sec-ch-ua": f'"Google Chrome";v="{version}", "Chromium";v="{version}", "Not?A_Brand";v="24"',
        "sec-ch-ua-mobile": "?1" if mobile else "?0",
        "sec-ch-ua-platform": platform,
    }
    return Browser(f"Mozilla/5.0 ({_CHROMIUM[platform]}) {engine}", hints)


def some_words(rng: random.Random, most: int) -> str:
    return " ".join(rng.choices(_WORDS, k=rng.randint(1, most)))


def a_page(rng: random.Random, person: Person) -> dict[str, str]:
    path = "/" + "/".join(rng.choices(_WORDS, k=rng.randrange(4)))
    search = f"?utm_source={rng.choice(_WORDS)}&utm_campaign={rng.choice(_WORDS)}" if rng.random() < 0.3 else ""
    return {
        "path": path,
        "referrer": rng.choice(["", "https://www.google.com/", person.site + "/"]),
        "search": search,
        "title": some_words(rng, 6).title(),
        "url": person.site + path + search,
    }


def properties(rng: random.Random) -> dict[str, Any]:
    """What an application tells about an event: 0 to some 30 members, now and then nested."""
    made: dict[str, Any] = {}
    for _ in range(min(30, int(rng.lognormvariate(1.5, 0.8)))):
        made["_".join(rng.choices(_WORDS, k=2))] = rng.choice(
            [
                some_words(rng, 8),
                rng.randrange(10**6),
                round(rng.uniform(0, 1000), 2),
                rng.random() < 0.5,
                None,
                rng.choice(_NAMES),
            ]
        )
    if rng.random() < 0.3:
        made["products"] = [
            {
                "product_id": a_uuid(rng),
                "name": some_words(rng, 3),
                "price": rng.randrange(100, 9999) / 100,
                "quantity": 1,
            }
            for _ in range(rng.randint(1, 5))
        ]
    return made


def traits(rng: random.Random, person: Person) -> dict[str, Any]:
    own = {"name": person.name, "email": f"{person.anonymous_id[:8]}@example.com", "plan": rng.choice(_WORDS)}
    return own | (properties(rng) if rng.random() < 0.3 else {})
