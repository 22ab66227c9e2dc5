"""The contract suite for adapters."""

from __future__ import annotations

from reporter.testing.contract.connections import ConnectionContract
from reporter.testing.contract.deliveries import DeliveryContract
from reporter.testing.contract.endpoints import EndpointContract
from reporter.testing.contract.explorations import ExplorationContract
from reporter.testing.contract.packages import PackageContract


class AdapterContract(PackageContract, EndpointContract, ConnectionContract, DeliveryContract, ExplorationContract):
    """
    Everything that holds of an adapter and its double.

        class TestExample(AdapterContract):
            adapter = ExampleAdapter()

            def held(self, double):
                return [Held(report.number, report.filed, tuple(report.files)) for report in double.reports]
    """
