"""What a real PouchDB makes of the service."""

from __future__ import annotations

from typing import Any

from .conftest import RunPouch, Sync


async def test_what_was_written_on_one_device_arrives_on_another(sync: Sync, pouch: RunPouch) -> None:
    found = await pouch(
        """
        const [a, b, server] = [local('a'), local('b'), remote(args.url, args.token)];
        await a.put({_id: 'draft:1', text: 'a dent', _attachments: {
          'photo.jpg': {content_type: 'image/jpeg', data: Buffer.from('pixels').toString('base64')}}});
        await a.replicate.to(server);
        await b.replicate.from(server);
        const doc = await b.get('draft:1', {attachments: true, revs: true});
        return {doc, same: (await a.get('draft:1'))._rev === doc._rev, info: await server.info()};
        """,
        url=sync.url,
        token=await sync.token("ada"),
    )
    assert found["doc"]["text"] == "a dent"
    assert found["doc"]["_attachments"]["photo.jpg"]["data"] == "cGl4ZWxz"
    assert found["same"]
    assert found["info"]["doc_count"] == 1


async def test_live_sync_carries_changes_both_ways(sync: Sync, pouch: RunPouch) -> None:
    found = await pouch(
        """
        const [a, b] = [local('a'), local('b')];
        const syncs = [a, b].map((db) => db.sync(remote(args.url, args.token), {live: true, retry: true}));
        await a.put({_id: 'draft:1', n: 1});
        const got = await until(() => b.get('draft:1').catch(() => null));
        await b.put({...got, n: 2});
        const back = await until(async () => { const d = await a.get('draft:1'); return d.n === 2 && d; });
        await a.remove(back);
        await until(() => b.get('draft:1').then(() => false, (e) => e.status === 404));
        syncs.forEach((s) => s.cancel());
        return true;
        """,
        url=sync.url,
        token=await sync.token("ada"),
    )
    assert found is True


async def test_a_conflict_has_the_same_winner_everywhere(sync: Sync, pouch: RunPouch) -> None:
    found = await pouch(
        """
        const [a, b, server] = [local('a'), local('b'), remote(args.url, args.token)];
        await a.put({_id: 'draft:1', from: 'first'});
        await a.sync(server); await b.sync(server);
        for (const [db, from] of [[a, 'a'], [b, 'b']]) await db.put({...await db.get('draft:1'), from});
        await a.sync(server); await b.sync(server); await a.sync(server);
        return Promise.all([a, b, server].map((db) => db.get('draft:1', {conflicts: true})));
        """,
        url=sync.url,
        token=await sync.token("ada"),
    )
    assert found[0] == found[1] == found[2]
    assert len(found[0]["_conflicts"]) == 1


async def test_a_refused_document_is_denied_and_the_others_go_through(sync: Sync, pouch: RunPouch) -> None:
    found = await pouch(
        """
        const [a, server] = [local('a'), remote(args.url, args.token)];
        const docs = [{_id: 'claims:C-1', state: 'paid'}, {_id: 'draft:1'}, {_id: 'command:1', type: 'x'}];
        await a.bulkDocs(docs);
        const denied = [];
        const done = await a.replicate.to(server).on('denied', (e) => denied.push(e));
        return {denied, written: done.docs_written, there: (await server.allDocs()).rows.map((r) => r.id)};
        """,
        url=sync.url,
        token=await sync.token("ada"),
    )
    assert {(d["doc"]["id"] if "doc" in d else d["id"]) for d in found["denied"]} == {
        "claims:C-1",
        "command:1",
    }
    assert found["written"] == 1
    assert found["there"] == ["draft:1"]


async def test_another_persons_database_is_another(sync: Sync, pouch: RunPouch) -> None:
    script = """
        const server = remote(args.url, args.token);
        if (args.write) await server.put({_id: 'draft:1', secret: true});
        return (await server.allDocs()).rows.map((r) => r.id);
    """
    assert await pouch(script, url=sync.url, token=await sync.token("ada"), write=True) == ["draft:1"]
    assert await pouch(script, url=sync.url, token=await sync.token("ben")) == []


async def test_ten_photos_go_up_and_come_down_whole(sync: Sync, pouch: RunPouch) -> None:
    found: Any = await pouch(
        """
        const [a, b, server] = [local('a'), local('b'), remote(args.url, args.token)];
        const photo = (n) => Buffer.alloc(300_000, String.fromCharCode(65 + n));
        for (let n = 0; n < 10; n++)
          await a.put({_id: `draft:${n}`, _attachments: {
            'photo one/ä.jpg': {content_type: 'image/jpeg', data: photo(n)}}});
        await a.replicate.to(server); await b.replicate.from(server);
        const same = [];
        for (let n = 0; n < 10; n++) {
          const got = await b.getAttachment(`draft:${n}`, 'photo one/ä.jpg');
          const direct = await server.getAttachment(`draft:${n}`, 'photo one/ä.jpg');
          same.push(photo(n).equals(got) && photo(n).equals(direct));
        }
        return same;
        """,
        url=sync.url,
        token=await sync.token("ada"),
    )
    assert found == [True] * 10
