"""Integration microservices: routes between the company and its back ends and third parties."""
