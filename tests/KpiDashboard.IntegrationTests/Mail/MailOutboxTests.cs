using System.Text;
using Azure.Storage.Queues;
using KpiDashboard.Api;
using KpiDashboard.IntegrationTests.Embedded;
using KpiDashboard.Mail;
using MimeKit;
using Npgsql;
using Xunit;

namespace KpiDashboard.IntegrationTests.Mail;

public sealed class MailOutboxTests(PostgresFixture postgres, MailStorage storage) : IClassFixture<MailStorage>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mail_arrives_as_text_and_HTML_with_the_headers_it_needs()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        var id = await rig.AddAsync();
        await rig.DeliverAsync(id);

        var mail = Assert.Single(rig.Arrived());
        Assert.Equal("\"Ada Łovelace\" <ada@example.com>", mail.To.ToString());
        Assert.Equal("\"KPI Dashboard\" <no-reply@kpi.example.com>", mail.From.ToString());
        Assert.Equal("Choose a new password – 1", mail.Subject);
        Assert.Equal($"{id:N}@kpi.example.com", mail.MessageId);
        Assert.Equal(rig.Time.GetUtcNow(), mail.Date);
        Assert.Equal("auto-generated", mail.Headers["Auto-Submitted"]);
        Assert.Equal(["text/plain", "text/html"], Assert.IsType<MultipartAlternative>(mail.Body).Select(part => part.ContentType.MimeType));
        Assert.Contains($"Choose a password:\n{MailRig.Link}\n", mail.TextBody!.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains($"href=\"{MailRig.Link}\"", mail.HtmlBody, StringComparison.Ordinal);
        Assert.Equal(("sent", 1, null, false), (await rig.EntryAsync(id)) is var entry ? (entry.Status, entry.Attempts, entry.Error, entry.Payload) : default);
    }

    [Fact]
    public async Task Ten_mails_for_a_server_that_is_down_for_three_hours_arrive_once_each_when_it_is_back()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        await rig.Smtp.StopAsync(crash: true);
        var ids = new List<Guid>();
        for (var i = 0; i < 10; i++) ids.Add(await rig.AddAsync($"person{i}@example.com"));
        var end = rig.Time.GetUtcNow() + TimeSpan.FromHours(3);
        while (rig.Time.GetUtcNow() < end)
        {
            foreach (var id in ids) await rig.DeliverAsync(id);
            rig.Time.Advance(TimeSpan.FromMinutes(5));
        }

        foreach (var id in ids) Assert.Equal("queued", (await rig.EntryAsync(id)).Status);
        Assert.Equal(7, (await rig.EntryAsync(ids[0])).Attempts);

        await rig.Smtp.StartAgainAsync(Cancelled);
        rig.Time.Advance(TimeSpan.FromHours(1));
        // Each has several messages by now.
        for (var round = 0; round < 3; round++)
            await Task.WhenAll(ids.Select(id => rig.DeliverAsync(id)));

        Assert.Equal(ids.Select(id => $"{id:N}@kpi.example.com").Order(), rig.Arrived().Select(mail => mail.MessageId).Order());
        // Written once: each attempt was of the same mail.
        Assert.Equal(10, rig.Kind.Composed);
        foreach (var id in ids) Assert.Equal("sent", (await rig.EntryAsync(id)).Status);
    }

    [Fact]
    public async Task Twenty_copies_of_a_message_at_once_send_one_mail()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        var id = await rig.AddAsync();
        MailSender[] instances = [rig.Sender, rig.NewSender(), rig.NewSender()];
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => rig.DeliverAsync(id, instances[i % 3])));
        Assert.Single(rig.Arrived());
        Assert.Equal(("sent", 1), (await rig.EntryAsync(id)) is var entry ? (entry.Status, entry.Attempts) : default);
    }

    [Fact]
    public async Task A_sender_that_was_killed_between_lease_and_sending_delays_a_mail_and_does_not_lose_it()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        var id = await rig.AddAsync();
        // What a killed process leaves behind.
        var now = rig.Time.GetUtcNow();
        await rig.Database.QueryAsync<string>("select kind from claim_mail(@id, @lease, @now, @until)", new { id, lease = Guid.NewGuid(), now, until = now + MailSender.LeaseFor }, Cancelled);
        await rig.DeliverAsync(id);
        Assert.Empty(rig.Arrived());

        rig.Time.Advance(TimeSpan.FromMinutes(10));
        await EmptyQueueAsync();
        await rig.Outbox.SweepAsync(Cancelled);
        Assert.Contains(id.ToString(), Assert.Single(await EmptyQueueAsync()), StringComparison.Ordinal);
        await rig.DeliverAsync(id);
        Assert.Single(rig.Arrived());
    }

    [Fact]
    public async Task A_refused_recipient_fails_at_once_with_the_reason_and_is_not_tried_again()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        var id = await rig.AddAsync("refused@example.com");
        await rig.DeliverAsync(id);
        Assert.Equal(("failed", 1, "The mail server refused the recipient (550, 5.1.1).", false), (await rig.EntryAsync(id)) is var entry ? (entry.Status, entry.Attempts, entry.Error, entry.Payload) : default);
        rig.Time.Advance(TimeSpan.FromDays(1));
        await EmptyQueueAsync();
        await rig.Outbox.SweepAsync(Cancelled);
        Assert.Empty(await EmptyQueueAsync());
        await rig.DeliverAsync(id);
        Assert.Equal(1, (await rig.EntryAsync(id)).Attempts);
    }

    [Fact]
    public async Task A_recipient_who_cannot_take_mail_now_is_tried_for_three_days_and_then_given_up()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        var id = await rig.AddAsync("later@example.com");
        var started = rig.Time.GetUtcNow();
        for (var attempt = 1; attempt <= MailSender.MaxAttempts; attempt++)
        {
            Assert.Equal(("queued", attempt - 1), (await rig.EntryAsync(id)) is var entry ? (entry.Status, entry.Attempts) : default);
            await rig.DeliverAsync(id);
            if (attempt < MailSender.MaxAttempts) rig.Time.Advance((await rig.EntryAsync(id)).Next - rig.Time.GetUtcNow().UtcDateTime);
        }

        Assert.Equal(("failed", "The mail server did not take it (451, 5.1.1)."), (await rig.EntryAsync(id)) is var last ? (last.Status, last.Error) : default);
        Assert.InRange(rig.Time.GetUtcNow() - started, TimeSpan.FromHours(71), TimeSpan.FromHours(73));
    }

    [Fact]
    public async Task Without_a_mail_server_a_mail_waits_for_a_month_and_is_sent_when_there_is_one()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        rig.Options.Host = "";
        var id = await rig.AddAsync();
        for (var day = 0; day < 30; day++)
        {
            await rig.DeliverAsync(id);
            rig.Time.Advance(TimeSpan.FromDays(1));
        }

        Assert.Equal(("queued", 0, "No mail server is configured (Mail:Host)."), (await rig.EntryAsync(id)) is var entry ? (entry.Status, entry.Attempts, entry.Error) : default);
        Assert.Single(rig.Log.All, line => line.StartsWith("3014 ", StringComparison.Ordinal));
        rig.Options.Host = "127.0.0.1";
        await rig.DeliverAsync(id);
        Assert.Single(rig.Arrived());
    }

    [Fact]
    public async Task Nothing_that_names_somebody_or_lets_them_in_is_in_the_table_or_in_the_log()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        var waiting = await rig.AddAsync("later@example.com");
        var refused = await rig.AddAsync("refused@example.com");
        var sent = await rig.AddAsync();
        foreach (var id in (Guid[])[waiting, refused, sent]) await rig.DeliverAsync(id);
        await rig.Smtp.StopAsync();
        await rig.DeliverAsync(await rig.AddAsync());

        // As text and as bytes: the payload is shown in hexadecimal.
        var table = await rig.OwnerAsync<string>("select string_agg(m::text, E'\\n') || string_agg(coalesce(encode(payload, 'escape'), ''), E'\\n') from mail_outbox m");
        Assert.Contains(waiting.ToString(), table, StringComparison.Ordinal);
        var log = string.Join('\n', rig.Log.All);
        Assert.Contains(waiting.ToString(), log, StringComparison.Ordinal);
        foreach (var secret in (string[])["example.com", "ovelace", "SeCrEt", "reset-password#"])
        {
            Assert.DoesNotContain(secret, table, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(Convert.ToHexStringLower(Encoding.UTF8.GetBytes(secret)), table, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(secret, log, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Theory]
    [InlineData("select * from mail_outbox")]
    [InlineData("insert into mail_outbox (id, kind, next_attempt_at, created_at) values (gen_random_uuid(), 'x', now(), now())")]
    [InlineData("update mail_outbox set status = 'sent'")]
    [InlineData("delete from mail_outbox")]
    public async Task The_application_reaches_entries_through_the_functions_only(string sql)
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        await using var source = NpgsqlDataSource.Create(rig.AppConnectionString);
        await using var command = source.CreateCommand(sql);
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Cancelled))).SqlState);
    }

    [Fact]
    public async Task There_is_a_mail_if_and_only_if_the_transaction_it_was_added_in_commits()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        var tenant = Guid.NewGuid();
        await rig.OwnerAsync<Guid>("insert into tenants (id, name, time_zone, currency) values (@tenant, 'T', 'UTC', 'EUR') returning id", new { tenant });
        var data = $$"""{"To":"ada@example.com","Link":"{{MailRig.Link}}"}""";
        await Assert.ThrowsAsync<InvalidOperationException>(() => rig.Database.InTenantAsync(tenant, async tx =>
        {
            await rig.Outbox.AddAsync(tx, ResetMail.KindName, data);
            throw new InvalidOperationException("rolled back");
        }, Cancelled));
        Assert.Equal(0, await rig.OwnerAsync<int>("select count(*)::int from mail_outbox"));

        var id = await rig.Database.InTenantAsync(tenant, tx => rig.Outbox.AddAsync(tx, ResetMail.KindName, data), Cancelled);
        await rig.Outbox.DispatchAsync(id, Cancelled);
        await rig.DeliverAsync(id);
        Assert.Single(rig.Arrived());
        Assert.Equal(tenant, await rig.OwnerAsync<Guid>("select tenant from mail_outbox"));

        await rig.OwnerAsync<Guid>("delete from tenants where id = @tenant returning id", new { tenant });
        Assert.Equal(0, await rig.OwnerAsync<int>("select count(*)::int from mail_outbox"));
    }

    [Fact]
    public async Task A_queue_that_is_away_fails_no_caller_and_the_sweeper_makes_up_for_it()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        var id = await rig.Box("").AddAsync(ResetMail.KindName, $$"""{"To":"ada@example.com","Link":"{{MailRig.Link}}"}""", null, Cancelled);
        await EmptyQueueAsync();
        await rig.Outbox.SweepAsync(Cancelled);
        Assert.Empty(await EmptyQueueAsync());
        rig.Time.Advance(MailOutbox.NeverEnqueuedAfter);
        await rig.Outbox.SweepAsync(Cancelled);
        Assert.Contains(id.ToString(), Assert.Single(await EmptyQueueAsync()), StringComparison.Ordinal);
        await rig.Outbox.SweepAsync(Cancelled);
        Assert.Empty(await EmptyQueueAsync());
    }

    [Fact]
    public async Task A_kind_with_nothing_to_say_closes_the_entry_and_one_that_breaks_is_asked_again()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        rig.Kind.Instead = () => null;
        var dropped = await rig.AddAsync("nobody@example.com");
        await rig.DeliverAsync(dropped);
        Assert.Equal(("dropped", 0, false), (await rig.EntryAsync(dropped)) is var entry ? (entry.Status, entry.Attempts, entry.Payload) : default);

        rig.Kind.Instead = () => throw ApiProblem.Unavailable("The address of the web page is not configured (Web:BaseUrl).", 60);
        var waiting = await rig.AddAsync();
        var unknown = await rig.AddAsync(kind: "from-a-newer-build");
        await rig.DeliverAsync(waiting);
        await rig.DeliverAsync(unknown);
        Assert.Equal(("queued", "The address of the web page is not configured (Web:BaseUrl)."), (await rig.EntryAsync(waiting)) is var later ? (later.Status, later.Error) : default);
        Assert.Equal("queued", (await rig.EntryAsync(unknown)).Status);
        Assert.Empty(rig.Arrived());

        rig.Kind.Instead = null;
        rig.Time.Advance(TimeSpan.FromSeconds(10));
        await rig.DeliverAsync(waiting);
        Assert.Single(rig.Arrived());
    }

    [Fact]
    public async Task An_instance_that_is_stopped_while_sending_lets_go_of_the_mail()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        using var stopping = new CancellationTokenSource();
        rig.Kind.Instead = () =>
        {
            stopping.Cancel();
            stopping.Token.ThrowIfCancellationRequested();
            return null;
        };
        var id = await rig.AddAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => rig.Sender.SendAsync(new MailMessageRef(1, id, null), stopping.Token));
        rig.Kind.Instead = null;
        await rig.DeliverAsync(id, rig.NewSender());
        Assert.Single(rig.Arrived());
    }

    [Fact]
    public async Task A_poison_message_is_kept_if_it_names_no_mail()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        await rig.Sender.PoisonAsync($$"""{"v":1,"id":"{{Guid.NewGuid()}}"}""", Cancelled);
        Assert.Equal(0, await rig.OwnerAsync<int>("select count(*)::int from dead_letters"));
        await rig.Sender.PoisonAsync("{", Cancelled);
        await rig.Sender.PoisonAsync("""{"v":2,"id":"x"}""", Cancelled);
        Assert.Equal(2, await rig.OwnerAsync<int>("select count(*)::int from dead_letters where queue = 'mail-poison'"));
    }

    [Fact]
    public async Task Finished_entries_are_forgotten_and_open_ones_are_not()
    {
        await using var rig = await MailRig.StartAsync(postgres, storage);
        var sent = await rig.AddAsync();
        await rig.AddAsync();
        await rig.DeliverAsync(sent);
        Assert.Equal(0, await rig.Outbox.PurgeAsync(rig.Time.GetUtcNow(), Cancelled));
        rig.Time.Advance(MailOutbox.KeepFinished + TimeSpan.FromSeconds(1));
        Assert.Equal(1, await rig.Outbox.PurgeAsync(rig.Time.GetUtcNow() - MailOutbox.KeepFinished, Cancelled));
        Assert.Equal(1, await rig.OwnerAsync<int>("select count(*)::int from mail_outbox"));
    }

    private async Task<IReadOnlyList<string>> EmptyQueueAsync()
    {
        var client = new QueueClient(storage.ConnectionString, MailOutbox.Queue, new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });
        await client.CreateIfNotExistsAsync(cancellationToken: Cancelled);
        var bodies = new List<string>();
        while ((await client.ReceiveMessagesAsync(32, cancellationToken: Cancelled)).Value is { Length: > 0 } messages)
        {
            foreach (var message in messages)
            {
                bodies.Add(message.MessageText);
                await client.DeleteMessageAsync(message.MessageId, message.PopReceipt, Cancelled);
            }
        }

        return bodies;
    }
}
