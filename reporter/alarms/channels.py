"""The ways to reach a person: a command, a webhook, mail. Each gets the same few facts, and none of them content."""

from __future__ import annotations

import json
import os
import signal
import smtplib
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime

from reporter.alarms.model import Notice
from reporter.alarms.wire import TIMEOUT_SECONDS, Way, deadline, reason
from reporter.errors import EnvironmentTroubleError

#: All that a command sees of the surroundings.
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class CommandChannel:
    """Runs a program, without a shell, with the message as one line of JSON on its standard input."""

    arguments: tuple[str, ...]
    timeout_seconds: float = 30.0
    name: str = "command"

    def send(self, notice: Notice) -> None:
        """
        Run the program and wait for it.

        Raises:
            EnvironmentTroubleError: It cannot be started, exits with another code than 0, or takes too long.
        """
        line = json.dumps(notice.data()).encode() + b"\n"
        try:
            process = subprocess.Popen(  # noqa: S603 (the operator's own program, no shell)
                self.arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT, cwd="/", start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise EnvironmentTroubleError(
                f"it cannot be started: {getattr(error, 'strerror', '')}".rstrip(": ")
            ) from None
        with process:
            try:
                process.communicate(line, timeout=self.timeout_seconds)
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise EnvironmentTroubleError(f"it did not end within {self.timeout_seconds:g} seconds") from None
        if process.returncode:
            raise EnvironmentTroubleError(f"it ended with exit code {process.returncode}")


@dataclass(frozen=True, slots=True)
class WebhookChannel:
    """Posts the message as JSON; its ``text`` is what chat systems show."""

    url: Callable[[], str]
    way: Way
    name: str = "webhook"

    def send(self, notice: Notice) -> None:
        """
        Post it.

        Raises:
            EnvironmentTroubleError: It was not taken.
        """
        self.way.post(self.url(), notice.data())


@dataclass(frozen=True, slots=True)
class MailChannel:
    """Sends a plain-text mail through a relay."""

    to: tuple[str, ...]
    sender: str
    host: str
    port: int
    way: Way
    username: str = ""
    password: Callable[[], str] = field(default=str, repr=False)
    starttls: bool = True
    name: str = "mail"

    def send(self, notice: Notice) -> None:
        """
        Hand it to the relay.

        Raises:
            EnvironmentTroubleError: The relay did not take it for everybody.
        """
        password, tls = (self.password() if self.username else ""), (self.way.tls() if self.starttls else None)
        relay = smtplib.SMTP(timeout=TIMEOUT_SECONDS, local_hostname=socket.gethostname())
        try:
            with deadline(lambda: relay.sock):
                code, _ = relay.connect(self.host, self.port)
                if code != 220:
                    raise EnvironmentTroubleError(f"the relay answered {code}")
                if tls is not None:
                    relay._host = self.host  # type: ignore[attr-defined]  # else starttls checks no name
                    relay.starttls(context=tls)
                if self.username:
                    relay.login(self.username, password)
                refused = relay.send_message(self._message(notice), self.sender, self.to)
                if refused:
                    raise EnvironmentTroubleError(f"the relay refused {len(refused)} of {len(self.to)} recipients")
                with suppress(smtplib.SMTPException):
                    relay.quit()
        except (OSError, ValueError) as error:
            raise EnvironmentTroubleError(_mail_reason(error)) from None
        finally:
            relay.close()

    def _message(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        data = notice.data()
        message["Subject"] = notice.line.partition(": ")[2].partition(", since")[0]
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Date"] = format_datetime(notice.raised_at)
        lines = [notice.line, "", *(f"{name}: {value}" for name, value in data.items() if name != "text" and value)]
        message.set_content("\n".join(lines) + "\n")
        return message


def _mail_reason(error: Exception) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused():
            return "the relay refused all recipients"
        case smtplib.SMTPNotSupportedError():
            return "the relay does not offer what is configured (STARTTLS or a login)"
        case smtplib.SMTPResponseException():
            return f"the relay answered {error.smtp_code}"
        case smtplib.SMTPException():
            return f"the relay broke off ({type(error).__name__})"
        case _:
            return reason(error)
