"""Signals from callers."""

from __future__ import annotations

from towpath.engine.effects import Broadcast
from towpath.process.base import Base, check_tenant
from towpath.process.batch import Work
from towpath.process.signals import broadcast
from towpath.process.values import variables
from towpath.wire import BroadcastedSignal, BroadcastSignal, ProcessError


class Broadcasting(Base):
    async def broadcast_signal(
        self, signal: BroadcastSignal, *, actor: str | None = None
    ) -> BroadcastedSignal:
        """Answers once the signal is kept; where very many wait for it, some hear of it a little later."""
        check_tenant(signal.tenant_id)
        given = variables(signal.variables)
        if not signal.signal_name:
            raise ProcessError("INVALID_ARGUMENT", "signalName is needed.")

        def throw(work: Work) -> int:
            made = Broadcast(key=work.key(), signal_name=signal.signal_name, variables=given)
            broadcast(work, made, at=work.now, actor=actor, told=True)
            return made.key

        return BroadcastedSignal(signal_key=str(await self.host.run(throw)))
