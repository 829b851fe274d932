"""Rate limits per plan: one token bucket for each caller, known by the token's subject, or by address."""

from __future__ import annotations

import re

from towpath.gateway.render.common import Json, seconds, typed
from towpath.gateway.settings import GatewaySettings, PlanSettings

SUBJECT = "x-towpath-subject"
PLAN = "x-towpath-plan"
_UNLIMITED = 4_000_000_000  # tokens; of the bucket for what no descriptor fits, which is nothing


def plan_buckets(settings: GatewaySettings) -> Json:
    """The buckets. An entry without a value stands for every caller, each with a bucket of its own."""
    descriptors = [
        {
            "entries": [{"key": "plan", "value": name}, {"key": "caller"}],
            "token_bucket": _bucket(plan),
        }
        for name, plan in sorted(settings.plans.items())
    ]
    descriptors.append(
        {
            "entries": [{"key": "anonymous", "value": "yes"}, {"key": "remote_address"}],
            "token_bucket": _bucket(settings.anonymous),
        }
    )
    everyone = {"numerator": 100, "denominator": "HUNDRED"}
    return typed(
        "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="plans",
        token_bucket={"max_tokens": _UNLIMITED, "tokens_per_fill": _UNLIMITED, "fill_interval": "1s"},
        filter_enabled={"default_value": everyone},
        filter_enforced={"default_value": everyone},
        always_consume_default_token_bucket=False,
        rate_limits=_descriptors_of_a_request(settings),
        descriptors=descriptors,
        max_dynamic_descriptors=settings.callers,
        enable_x_ratelimit_headers="DRAFT_VERSION_03",
    )


def _bucket(plan: PlanSettings) -> Json:
    return {
        "max_tokens": plan.requests,
        "tokens_per_fill": plan.requests,
        "fill_interval": seconds(plan.seconds),
    }


def _descriptors_of_a_request(settings: GatewaySettings) -> list[Json]:
    """Which bucket a request draws from. A plan that is not ours counts as the default plan.

    The subject's header is set from a checked token only, so a request without it is anonymous.
    """
    nobody = {
        "header_value_match": {
            "descriptor_key": "anonymous",
            "descriptor_value": "yes",
            "expect_match": False,
            "headers": [{"name": SUBJECT, "present_match": True}],
        }
    }
    caller = {"request_headers": {"header_name": SUBJECT, "descriptor_key": "caller"}}
    known = "|".join(re.escape(name) for name in sorted(settings.plans))
    named = {"request_headers": {"header_name": PLAN, "descriptor_key": "plan"}}
    other = {
        "header_value_match": {
            "descriptor_key": "plan",
            "descriptor_value": settings.default_plan,
            "expect_match": False,
            "headers": [{"name": PLAN, "string_match": {"safe_regex": {"regex": known}}}],
        }
    }
    return [
        {"actions": [nobody, {"remote_address": {}}]},
        {"actions": [named, caller]},
        {"actions": [other, caller]},
    ]
