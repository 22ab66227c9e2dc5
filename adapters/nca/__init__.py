"""
The adapter for the United Kingdom's National Crime Agency, on a CONTRACT OF OUR OWN.

The NCA gives the specification of its API to registered providers alone. What is spoken here is not that API: it is a
contract written for a mock, from what SI 2026/268 is reported to require. All that knows the contract is in this
package, so that the real API is a change of these files only.
"""
