using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsvHelper;
using Dapper;
using KpiDashboard.Identity;
using KpiDashboard.IntegrationTests.App;
using KpiDashboard.Mail;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Privacy;

/// <summary>Audit log and data protection through the API of the whole app.</summary>
[Collection(AppCollection.Name)]
public sealed class PrivacyAppTests(AppFixture app) : IAsyncLifetime
{
    private NpgsqlDataSource _owner = null!;
    private PlantedTenant _mine = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _owner = NpgsqlDataSource.Create(app.OwnerConnectionString);
        _mine = await PlantAsync();
    }

    public ValueTask DisposeAsync() => _owner.DisposeAsync();

    [Fact]
    public async Task An_export_goes_through_the_queue_is_downloaded_as_a_zip_and_both_are_audited()
    {
        using var client = await SignInAsync(_mine.OwnerEmail);
        string id;
        await using (var blocker = await _owner.OpenConnectionAsync(Cancelled))
        {
            await using var transaction = await blocker.BeginTransactionAsync(Cancelled);
            await blocker.ExecuteAsync("lock table kpi_values in access exclusive mode", transaction: transaction);
            var first = await client.SendJsonAsync(HttpMethod.Post, "api/tenant/exports");
            id = first["id"]!.GetValue<string>();
            // One live export: whoever asks again gets the same.
            Assert.Equal(id, (await client.SendJsonAsync(HttpMethod.Post, "api/tenant/exports"))["id"]!.GetValue<string>());
            using var early = await client.GetAsync(new Uri($"api/tenant/exports/{id}/download", UriKind.Relative), Cancelled);
            Assert.Equal(HttpStatusCode.Conflict, early.StatusCode);
            await Eventually.TrueAsync(async () => (await client.GetJsonAsync($"api/tenant/exports/{id}"))["done"]!.GetValue<int>() > 3, TimeSpan.FromMinutes(1), "progress is seen");
            await transaction.RollbackAsync(Cancelled);
        }

        await Eventually.TrueAsync(async () => (await client.GetJsonAsync($"api/tenant/exports/{id}"))["status"]!.GetValue<string>() == "succeeded", TimeSpan.FromMinutes(1), "the export ends");
        var entry = Assert.Single((await client.GetJsonAsync("api/tenant/exports"))["exports"]!.AsArray())!;
        Assert.Equal(_mine.OwnerEmail, entry["requestedBy"]!.GetValue<string>());

        using var download = await client.GetAsync(new Uri($"api/tenant/exports/{id}/download", UriKind.Relative), Cancelled);
        Assert.Equal(HttpStatusCode.OK, download.StatusCode);
        Assert.Equal("application/zip", download.Content.Headers.ContentType!.MediaType);
        Assert.Equal("attachment", download.Content.Headers.ContentDisposition!.DispositionType);
        Assert.True(download.Headers.CacheControl!.NoStore);
        var bytes = await download.Content.ReadAsByteArrayAsync(Cancelled);
        Assert.Equal(entry["bytes"]!.GetValue<long>(), bytes.Length);
        await using var zip = new ZipArchive(new MemoryStream(bytes));
        Assert.NotNull(zip.GetEntry("README.txt"));
        Assert.NotNull(zip.GetEntry("executions.csv"));

        Assert.Equal(["tenant.export_downloaded", "tenant.export_requested"], (await ActionsAsync(client)).Take(2));
        Assert.Equal(1, await OneAsync<int>("select count(*)::int from mail_outbox where tenant = @Id and kind = 'export-ready'", new { _mine.Id }));

        // Neither a lesser role nor another business gets at it; what is not mine is like what is not there.
        using var member = await SignInAsync(_mine.MemberEmail);
        using var forbidden = await member.GetAsync(new Uri($"api/tenant/exports/{id}/download", UriKind.Relative), Cancelled);
        Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
        var other = await PlantAsync();
        using var stranger = await SignInAsync(other.OwnerEmail);
        foreach (var path in new[] { $"api/tenant/exports/{id}", $"api/tenant/exports/{id}/download" })
        {
            using var theirs = await stranger.GetAsync(new Uri(path, UriKind.Relative), Cancelled);
            using var nobodys = await stranger.GetAsync(new Uri(path.Replace(id, Guid.NewGuid().ToString(), StringComparison.Ordinal), UriKind.Relative), Cancelled);
            Assert.Equal(HttpStatusCode.NotFound, theirs.StatusCode);
            Assert.Equal(Detail(await nobodys.Content.ReadAsStringAsync(Cancelled)), Detail(await theirs.Content.ReadAsStringAsync(Cancelled)));
        }
    }

    [Fact]
    public async Task Asking_for_deletion_takes_the_exact_name_makes_all_read_only_tells_the_owners_and_can_be_undone()
    {
        using var client = await SignInAsync(_mine.OwnerEmail);
        using var wrong = await client.PostAsJsonAsync("api/tenant/deletion", new { name = $"{_mine.Marker} ltd" }, Cancelled);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Equal(["name"], JsonNode.Parse(await wrong.Content.ReadAsStringAsync(Cancelled))!["errors"]!.AsObject().Select(error => error.Key));

        var at = (await client.SendJsonAsync(HttpMethod.Post, "api/tenant/deletion", new { name = $"{_mine.Marker} Ltd" }))["deleteAfter"]!.GetValue<DateTimeOffset>();
        Assert.InRange(at - DateTimeOffset.UtcNow, TimeSpan.FromDays(13.9), TimeSpan.FromDays(14.1));
        using var write = await client.PostAsJsonAsync("api/sync/refresh", new { }, Cancelled);
        Assert.Equal(HttpStatusCode.Conflict, write.StatusCode);
        Assert.NotNull(await client.GetJsonAsync("api/metrics/summary"));
        Assert.Equal(1, await OneAsync<int>("select count(*)::int from mail_outbox where tenant = @Id and kind = 'deletion-requested'", new { _mine.Id }));

        using var undone = await client.DeleteAsync(new Uri("api/tenant/deletion", UriKind.Relative), Cancelled);
        Assert.Equal(HttpStatusCode.NoContent, undone.StatusCode);
        Assert.Equal(["tenant.deletion_cancelled", "tenant.deletion_requested"], (await ActionsAsync(client)).Take(2));
        Assert.Null(await OneAsync<DateTime?>("select delete_after from tenants where id = @Id", new { _mine.Id }));
    }

    [Fact]
    public async Task A_person_gets_all_that_is_kept_about_it_and_no_secret()
    {
        using var client = await SignInAsync(_mine.MemberEmail);
        using var answer = await client.GetAsync(new Uri("api/auth/me/export", UriKind.Relative), Cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("attachment", answer.Content.Headers.ContentDisposition!.DispositionType);
        var text = await answer.Content.ReadAsStringAsync(Cancelled);
        var data = JsonNode.Parse(text)!;
        Assert.Equal(_mine.MemberEmail, data["account"]![0]!["email"]!.GetValue<string>());
        Assert.Equal($"{_mine.Marker} Ltd", data["businesses"]![0]!["name"]!.GetValue<string>());
        Assert.Equal(2, data["sessions"]!.AsArray().Count);
        Assert.Equal($"{_mine.Marker} token", data["api_tokens"]![0]!["name"]!.GetValue<string>());
        // Signed in twice, and the owner changed its role: from where the owner did is the owner's own.
        Assert.Equal(3, data["audit_log"]!.AsArray().Count);
        Assert.DoesNotContain("192.0.2.8", text, StringComparison.Ordinal);
        Assert.DoesNotContain(_mine.OwnerEmail, text, StringComparison.Ordinal);
        foreach (var secret in new[] { "password_hash", "token_hash", "signing_secret", "totp_secret", "$argon2" }) Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
    }

    /// <summary>How somebody is no longer of a business.</summary>
    [Theory]
    [InlineData("leaves")]
    [InlineData("is deactivated")]
    [InlineData("is removed")]
    public async Task Whoever_is_gone_from_a_business_is_told_what_he_began_there_and_not_what_others_wrote_since(string how)
    {
        // All that refers to a person there is of the member, and in another business, where the member stays, as well.
        var other = await PlantAsync();
        await ExecuteAsync("insert into memberships (tenant_id, user_id, role) values (@Id, @Member, 'member')", new { other.Id, _mine.Member });
        var columns = await ManyAsync<(string Table, string Column)>(
            """
            select c.relname::text, a.attname::text from pg_constraint k
            join pg_class c on c.oid = k.conrelid join pg_attribute a on a.attrelid = c.oid and k.conkey = array[a.attnum]
            where k.contype = 'f' and k.confrelid = 'users'::regclass and c.relnamespace = 'public'::regnamespace and c.relname not in ('memberships', 'audit_log')
              and exists (select 1 from pg_attribute x where x.attrelid = c.oid and x.attname = 'tenant_id' and not x.attisdropped)
            """, new { });
        Assert.Superset(
            new HashSet<string> { "annotations", "api_tokens", "dashboards", "dashboard_shares", "imports", "invitations", "tenant_exports" }, columns.Select(column => column.Table).ToHashSet());
        await ExecuteAsync(
            """
            insert into tenant_exports (tenant_id, id, status, requested_by, created_at, updated_at, finished_at, expires_at)
            select t, gen_random_uuid(), 'failed', @Member, now(), now(), now(), now() + interval '1 day' from unnest(array[@mine, @other]) t
            """, new { _mine.Member, mine = _mine.Id, other = other.Id });
        foreach (var tenant in new[] { _mine.Id, other.Id })
        {
            foreach (var (table, column) in columns) await ExecuteAsync($"update {table} set {column} = @Member where tenant_id = @tenant", new { _mine.Member, tenant });
        }

        Assert.True(await WriteAsync(_mine.Id, "while he was there") > 7);
        using var member = await SignInAsync(_mine.MemberEmail);
        Assert.Contains("while he was there", await member.GetStringAsync(new Uri("api/auth/me/export", UriKind.Relative), Cancelled), StringComparison.Ordinal);
        if (how == "leaves")
        {
            using var inMine = await EnterAsync(member, _mine.Id);
            using var left = await inMine.PostAsJsonAsync("api/tenant/leave", new { }, Cancelled);
            Assert.True(left.IsSuccessStatusCode, await left.Content.ReadAsStringAsync(Cancelled));
        }
        else
        {
            await ExecuteAsync(
                how == "is removed" ? "delete from memberships where tenant_id = @Id and user_id = @Member" : "update memberships set deactivated_at = now() where tenant_id = @Id and user_id = @Member", _mine);
        }

        // Others go on writing there, in every text that there is, and in the other business as well.
        Assert.True(await WriteAsync(_mine.Id, "after he was gone") > 7);
        Assert.True(await WriteAsync(other.Id, "where he still is") > 7);

        using var again = await SignInAsync(_mine.MemberEmail);
        using var there = await EnterAsync(again, other.Id);
        var text = await there.GetStringAsync(new Uri("api/auth/me/export", UriKind.Relative), Cancelled);
        Assert.DoesNotContain("after he was gone", text, StringComparison.Ordinal);
        Assert.Contains("where he still is", text, StringComparison.Ordinal);
        // What he began is there, by its id and day, and nothing beside that but who he is in it.
        var told = 0;
        foreach (var (table, column) in columns.Where(column => column.Table != "google_grants"))
        {
            // Some of it goes with the membership (a dashboard of his own, say).
            var rows = await OneAsync<int>($"select count(*)::int from {table} where tenant_id = @Id and {column} = @Member", new { _mine.Id, _mine.Member });
            var begun = JsonNode.Parse(text)![table]?.AsArray().Where(item => item!["tenant_id"]!.GetValue<Guid>() == _mine.Id).ToList() ?? [];
            Assert.Equal((table, rows), (table, begun.Count));
            told += rows;
            Assert.All(begun, item => Assert.Subset(new HashSet<string> { "tenant_id", "id", "created_at", column }, item!.AsObject().Select(field => field.Key).ToHashSet()));
        }

        Assert.InRange(told, 3, 100);
    }

    [Fact]
    public async Task Erasing_oneself_is_refused_to_the_last_owner_and_leaves_nothing_of_anybody_else_but_entries_without_a_name()
    {
        using var owner = await SignInAsync(_mine.OwnerEmail);
        using var refused = await owner.DeleteAsync(new Uri("api/auth/me", UriKind.Relative), Cancelled);
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains($"{_mine.Marker} Ltd", await refused.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);

        var outbox = app.Services.GetRequiredService<MailOutbox>();
        var mail = await app.Database.InTenantAsync(_mine.Id, tx => outbox.AddAsync(tx, "planted", JsonSerializer.Serialize(new { to = _mine.MemberEmail })), Cancelled);
        var others = await app.Database.InTenantAsync(_mine.Id, tx => outbox.AddAsync(tx, "planted", JsonSerializer.Serialize(new { to = _mine.OwnerEmail })), Cancelled);
        using var member = await SignInAsync(_mine.MemberEmail);
        using var erased = await member.DeleteAsync(new Uri("api/auth/me", UriKind.Relative), Cancelled);
        Assert.True(erased.StatusCode == HttpStatusCode.NoContent, await erased.Content.ReadAsStringAsync(Cancelled));
        Assert.Contains(erased.Headers.GetValues("Set-Cookie"), cookie => cookie.StartsWith("kpi_refresh=;", StringComparison.Ordinal));

        using var gone = await member.GetAsync(new Uri("api/auth/me", UriKind.Relative), Cancelled);
        Assert.Equal(HttpStatusCode.Unauthorized, gone.StatusCode);
        Assert.Equal("dropped", await OneAsync<string>("select status from mail_outbox where id = @mail", new { mail }));
        Assert.NotEqual("dropped", await OneAsync<string>("select status from mail_outbox where id = @others", new { others }));
        Assert.Equal(0, await OneAsync<int>("select count(*)::int from users where id = @Member", new { _mine.Member }));
        Assert.Equal(0, await OneAsync<int>("select count(*)::int from api_tokens where created_by = @Member", new { _mine.Member }));

        var log = await ManyAsync<string>("select x::text from audit_log x where tenant_id = @Id", new { _mine.Id });
        // "a" + the address is somebody else's and stays as it is.
        Assert.Single(log, entry => entry.Contains($"a{_mine.MemberEmail}", StringComparison.Ordinal));
        Assert.DoesNotContain(log, entry => entry.Replace($"a{_mine.MemberEmail}", "", StringComparison.Ordinal).Contains(_mine.MemberEmail, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(log, entry => entry.Contains($"{_mine.Marker} Member", StringComparison.Ordinal) || entry.Contains("192.0.2.7", StringComparison.Ordinal));
        Assert.Contains(log, entry => entry.Contains("account.erased", StringComparison.Ordinal));
        Assert.Contains(log, entry => entry.Contains(_mine.OwnerEmail, StringComparison.Ordinal) && entry.Contains("192.0.2.8", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_audit_log_is_paged_newest_first_without_gap_or_repetition_and_filtered()
    {
        using var client = await SignInAsync(_mine.OwnerEmail);
        await ExecuteAsync(
            """
            insert into audit_log (tenant_id, at, actor_kind, actor_name, action, before, after)
            select @Id, timestamptz '2026-03-28 22:30Z' + (n / 10) * interval '1 hour', 'system', 'KPI Dashboard', 'tenant.settings_changed', '{"a": 1, "b": "x"}', '{"b": "y", "c": null}'
            from generate_series(0, 59) n
            """,
            new { _mine.Id });
        var all = new List<JsonNode>();
        var cursor = "";
        do
        {
            var page = await client.GetJsonAsync($"api/audit?limit=7{cursor}");
            all.AddRange(page["entries"]!.AsArray().Select(entry => entry!));
            cursor = page["nextCursor"] is { } next ? $"&cursor={next.GetValue<string>()}" : "";
        }
        while (cursor.Length > 0);

        Assert.Equal(await OneAsync<int>("select count(*)::int from audit_log where tenant_id = @Id", new { _mine.Id }), all.Count);
        Assert.Equal(all.Count, all.Select(entry => entry["id"]!.GetValue<Guid>()).Distinct().Count());
        Assert.Equal(all.OrderByDescending(entry => entry["at"]!.GetValue<DateTimeOffset>()).ThenByDescending(entry => entry["id"]!.GetValue<string>(), StringComparer.Ordinal), all);
        var changes = all.First(entry => entry["action"]!.GetValue<string>() == "tenant.settings_changed")["changes"]!.AsArray();
        Assert.Equal(["a:1:", "b:x:y", "c::"], changes.Select(change => $"{change!["field"]}:{change["before"]}:{change["after"]}"));

        // Berlin, the night the clocks went forward: 22:30 UTC on the 28th is 23:30, 23:30 UTC is on the 29th already.
        Assert.Equal(10, (await client.GetJsonAsync("api/audit?from=2026-03-28&to=2026-03-28&limit=200"))["entries"]!.AsArray().Count);
        Assert.Equal(50, (await client.GetJsonAsync("api/audit?from=2026-03-29&to=2026-03-29&limit=200"))["entries"]!.AsArray().Count);
        Assert.Equal(60, (await client.GetJsonAsync("api/audit?actor=kpi%20dash&limit=200"))["entries"]!.AsArray().Count);
        Assert.Equal(2, (await client.GetJsonAsync($"api/audit?actor={_mine.Owner}"))["entries"]!.AsArray().Count);
        Assert.Single((await client.GetJsonAsync("api/audit?action=member.role_changed"))["entries"]!.AsArray());
        foreach (var (query, field) in new[] { ("action=nonsense.done", "action"), ("cursor=x", "cursor"), ("cursor=9223372036854775807-1", "cursor"), ("from=2026-02-02&to=2026-01-01", "to"), ("limit=1000", "limit"), ("actor=%00", "actor"), ("from=yesterday", "from") })
        {
            using var bad = await client.GetAsync(new Uri($"api/audit?{query}", UriKind.Relative), Cancelled);
            Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
            Assert.Contains(field, JsonNode.Parse(await bad.Content.ReadAsStringAsync(Cancelled))!["errors"]!.AsObject().Select(error => error.Key));
        }

        using var member = await SignInAsync(_mine.MemberEmail);
        using var forbidden = await member.GetAsync(new Uri("api/audit", UriKind.Relative), Cancelled);
        Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
    }

    [Fact]
    public async Task An_unchanged_log_is_304_and_a_new_entry_is_seen_at_once()
    {
        using var client = await SignInAsync(_mine.OwnerEmail);
        using var first = await client.GetAsync(new Uri("api/audit", UriKind.Relative), Cancelled);
        client.DefaultRequestHeaders.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await client.GetAsync(new Uri("api/audit", UriKind.Relative), Cancelled);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        await ExecuteAsync("insert into audit_log (tenant_id, at, actor_kind, actor_name, action) values (@Id, now(), 'system', 's', 'token.created')", new { _mine.Id });
        using var third = await client.GetAsync(new Uri("api/audit", UriKind.Relative), Cancelled);
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
    }

    [Fact]
    public async Task The_log_is_exported_as_CSV_that_a_spreadsheet_does_not_run_and_as_JSON_and_says_so_itself()
    {
        using var client = await SignInAsync(_mine.OwnerEmail);
        await ExecuteAsync(
            "insert into audit_log (tenant_id, at, actor_kind, actor_name, action) select @Id, now() + n * interval '1 second', 'system', '=HYPERLINK(\"x\")', 'token.created' from generate_series(1, 2500) n", new { _mine.Id });
        using var answer = await client.GetAsync(new Uri("api/audit/export?format=csv", UriKind.Relative), Cancelled);
        Assert.Equal("attachment", answer.Content.Headers.ContentDisposition!.DispositionType);
        var bytes = await answer.Content.ReadAsByteArrayAsync(Cancelled);
        Assert.Equal(Encoding.UTF8.GetPreamble(), bytes[..3]);
        await using var csv = CsvReader.Create(bytes, CsvReaderOptions.Default);
        await csv.ReadHeaderAsync(Cancelled);
        var actors = new List<string>();
        while (await csv.ReadAsync(Cancelled)) actors.Add(csv.GetString("actor"));
        Assert.Equal(2500, actors.Count(actor => actor == "'=HYPERLINK(\"x\")"));
        Assert.Equal("audit.exported", (await client.GetJsonAsync("api/audit?action=audit.exported"))["entries"]![0]!["action"]!.GetValue<string>());

        var json = await client.GetJsonAsync("api/audit/export?format=json&action=token.created");
        Assert.Equal(2500, json.AsArray().Count);
        Assert.Empty((await client.GetJsonAsync("api/audit/export?format=json&action=tenant.created")).AsArray());
    }

    [Theory]
    [InlineData("update audit_log set actor_name = 'x'")]
    [InlineData("delete from audit_log")]
    [InlineData("truncate audit_log")]
    public async Task The_application_cannot_change_or_remove_an_entry(string sql)
    {
        var refused = await Assert.ThrowsAsync<PostgresException>(() => app.Database.InTenantAsync(_mine.Id, tx => tx.ExecuteAsync(sql), Cancelled));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    /// <summary>Writes a text into whatever takes one in the tables of a business; answers into how many columns.</summary>
    private async Task<int> WriteAsync(Guid tenant, string text)
    {
        var written = 0;
        foreach (var (table, column, isJson) in await ManyAsync<(string, string, bool)>(
            """
            select c.relname::text, a.attname::text, a.atttypid = 'jsonb'::regtype from pg_class c
            join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.atttypid in ('text'::regtype, 'jsonb'::regtype) and a.attgenerated = ''
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'audit_log'
              and exists (select 1 from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and k.confrelid = 'users'::regclass)
              and exists (select 1 from pg_attribute x where x.attrelid = c.oid and x.attname = 'tenant_id' and not x.attisdropped)
            """, new { }))
        {
            try
            {
                await ExecuteAsync($"update {table} set {column} = {(isJson ? "jsonb_build_array(jsonb_build_object('text', @text))" : "@text")} where tenant_id = @tenant", new { tenant, text });
                written++;
            }
            catch (PostgresException refused) when (refused.SqlState is PostgresErrorCodes.CheckViolation or PostgresErrorCodes.UniqueViolation)
            {
                // A word of a few, such as a role or a state.
            }
        }

        return written;
    }

    /// <summary>The same person's client in a business of his.</summary>
    private async Task<HttpClient> EnterAsync(HttpClient client, Guid tenant)
    {
        var me = (await client.GetJsonAsync("api/auth/me"))["user"]!["id"]!.GetValue<Guid>();
        var session = await OneAsync<Guid>("select id from sessions where user_id = @me order by created_at desc, id limit 1", new { me });
        var entered = app.Anonymous();
        entered.DefaultRequestHeaders.Add("X-Kpi-Token", app.Services.GetRequiredService<AccessTokens>().Issue(me, tenant, session));
        return entered;
    }

    private static string Detail(string body) => JsonNode.Parse(body)!["detail"]!.GetValue<string>();

    private async Task<PlantedTenant> PlantAsync()
    {
        await using var connection = await _owner.OpenConnectionAsync(Cancelled);
        return await PlantedTenant.AddAsync(connection, $"p{Guid.NewGuid():N}"[..12], DateTimeOffset.UtcNow, Passwords.Hash(PlantedTenant.Password));
    }

    private async Task<HttpClient> SignInAsync(string email)
    {
        var client = app.Anonymous();
        var session = await client.SendJsonAsync(HttpMethod.Post, "api/auth/login", new { email, password = PlantedTenant.Password });
        client.DefaultRequestHeaders.Add("X-Kpi-Token", session["accessToken"]!.GetValue<string>());
        return client;
    }

    private static async Task<IEnumerable<string>> ActionsAsync(HttpClient client) =>
        (await client.GetJsonAsync("api/audit"))["entries"]!.AsArray().Select(entry => entry!["action"]!.GetValue<string>()).Where(action => action.StartsWith("tenant.", StringComparison.Ordinal));

    private async Task<T> OneAsync<T>(string sql, object parameters)
    {
        await using var connection = await _owner.OpenConnectionAsync(Cancelled);
        return await connection.QuerySingleAsync<T>(sql, parameters);
    }

    private async Task<List<T>> ManyAsync<T>(string sql, object parameters)
    {
        await using var connection = await _owner.OpenConnectionAsync(Cancelled);
        return (await connection.QueryAsync<T>(sql, parameters)).AsList();
    }

    private async Task ExecuteAsync(string sql, object parameters)
    {
        await using var connection = await _owner.OpenConnectionAsync(Cancelled);
        await connection.ExecuteAsync(sql, parameters);
    }
}
