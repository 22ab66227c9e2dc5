"""
The contract suites: whoever writes an adapter, a key provider or a store subclasses one and inherits its tests.

They need pytest; nothing else of the program does. A suite is subclassed under a name that begins with ``Test``.
"""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{module}"
        for module in (
            "connections",
            "deliveries",
            "endpoints",
            "explorations",
            "handoffs",
            "keys",
            "keystores",
            "objects",
            "packages",
            "subject",
        )
    )
)
