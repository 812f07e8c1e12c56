"""Failed expectations are explained as failed asserts of the tests themselves are."""

import pytest

pytest.register_assert_rewrite("tests.spec.expectations")
