using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KpiDashboard.IntegrationTests.LocalHost;

public sealed class QueueTests(AzuriteFixture azurite) : IClassFixture<AzuriteFixture>, IDisposable
{
    private readonly TempFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task A_message_that_always_fails_is_tried_5_times_and_lands_in_the_poison_queue_as_it_was()
    {
        const string Text = """{"π":"ünï <>&","n":1}""";
        QueueClient queue = await EmptyAsync("failing");
        await using TestApp app = await StartAsync([typeof(FailingQueue)]);
        await queue.SendMessageAsync(Text, TestApp.Ct);

        PeekedMessage poison = await PoisonAsync("failing");

        Assert.Equal(Text, poison.MessageText);
        Assert.Equal(5, app.Recorder.Count($"run {Text}"));
        await IsEmptyAsync(queue);
        Assert.Equal(5, app.Logs.Entries.Count(entry => entry.Level == LogLevel.Error && entry.Text.StartsWith("Function Failing ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_failed_message_stays_invisible_for_the_visibility_timeout()
    {
        QueueClient queue = await EmptyAsync("failing");
        await using TestApp app = await StartAsync([typeof(FailingQueue)], "--set", "AzureFunctionsJobHost:extensions:queues:visibilityTimeout=00:30:00");
        await queue.SendMessageAsync("later", TestApp.Ct);

        await TestApp.EventuallyAsync(() => app.Recorder.Count("run later") == 1, "the message was tried");
        await app.Host.StopAsync(TestApp.Ct);

        QueueMessage[] visible = await queue.ReceiveMessagesAsync(TestApp.Ct);
        Assert.Empty(visible);
        QueueProperties properties = await queue.GetPropertiesAsync(TestApp.Ct);
        Assert.Equal(1, properties.ApproximateMessagesCount);
    }

    [Fact]
    public async Task A_message_that_succeeds_on_its_third_try_is_done_and_not_poison()
    {
        QueueClient queue = await EmptyAsync("flaky");
        await using TestApp app = await StartAsync([typeof(FlakyQueue)]);
        await queue.SendMessageAsync("m", TestApp.Ct);

        await IsEmptyAsync(queue);

        Assert.Equal(["m 1", "m 2", "m 3"], app.Recorder.Events);
        Assert.False(await azurite.Queue("flaky-poison").ExistsAsync(TestApp.Ct));
    }

    [Fact]
    public async Task A_message_that_is_not_base64_goes_to_poison_without_running_the_function()
    {
        QueueClient queue = await EmptyAsync("orders");
        await using TestApp app = await StartAsync([typeof(OrderQueue)]);
        const string Raw = """{"id":1,"name":"not base64"}""";
        await azurite.Queue("orders", QueueMessageEncoding.None).SendMessageAsync(Raw, TestApp.Ct);

        PeekedMessage poison = await PoisonAsync("orders", QueueMessageEncoding.None);

        Assert.Equal(Raw, poison.MessageText);
        Assert.Empty(app.Recorder.Events);
        await IsEmptyAsync(queue);
    }

    [Theory]
    [InlineData("""{"id":"one","name":"wrong type"}""")]
    [InlineData("{\"id\":1,")]
    [InlineData("")]
    public async Task A_message_that_is_not_the_JSON_of_the_parameter_goes_to_poison_without_running_the_function(string text)
    {
        QueueClient queue = await EmptyAsync("orders");
        await using TestApp app = await StartAsync([typeof(OrderQueue)]);
        await queue.SendMessageAsync(text, TestApp.Ct);

        PeekedMessage poison = await PoisonAsync("orders");

        Assert.Equal(text, poison.MessageText);
        Assert.Empty(app.Recorder.Events);
        Assert.Equal(5, app.Logs.Entries.Count(entry => entry.Text.StartsWith("Function Orders ", StringComparison.Ordinal)));
        await IsEmptyAsync(queue);
    }

    [Fact]
    public async Task JSON_binds_to_a_record_without_regard_to_case()
    {
        QueueClient queue = await EmptyAsync("orders");
        await using TestApp app = await StartAsync([typeof(OrderQueue)]);
        await queue.SendMessageAsync("""{"ID":7,"naMe":"x"}""", TestApp.Ct);

        await TestApp.EventuallyAsync(() => app.Recorder.Count("order 7 x") == 1, "the order arrived");
    }

    [Fact]
    public async Task A_message_binds_to_text_and_bytes_and_names_resolve_from_settings()
    {
        foreach (string name in (string[])["as-text", "as-bytes", "named-elsewhere"])
            await EmptyAsync(name);
        await using TestApp app = await StartAsync(
            [typeof(BindingQueues)], "--set", "QueueOfSetting=Named-Elsewhere", "--set", $"OtherStorage={azurite.ConnectionString}");
        foreach (string name in (string[])["as-text", "as-bytes", "named-elsewhere"])
            await azurite.Queue(name).SendMessageAsync("é1", TestApp.Ct);

        await TestApp.EventuallyAsync(() => app.Recorder.Events.Count == 3, "every function ran");

        Assert.Equal(["bytes C3A931", "setting é1", "text é1"], app.Recorder.Events.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_queue_that_is_made_later_is_read()
    {
        await azurite.Queue("orders").DeleteIfExistsAsync(TestApp.Ct);
        await using TestApp app = await StartAsync([typeof(OrderQueue)]);

        await azurite.Queue("orders").CreateIfNotExistsAsync(cancellationToken: TestApp.Ct);
        await azurite.Queue("orders").SendMessageAsync("""{"id":1,"name":"first"}""", TestApp.Ct);

        await TestApp.EventuallyAsync(() => app.Recorder.Count("order 1 first") == 1, "the message was read");
    }

    [Fact]
    public async Task No_more_than_batch_size_plus_threshold_run_at_once()
    {
        QueueClient queue = await EmptyAsync("slow");
        for (int i = 0; i < 12; i++)
            await queue.SendMessageAsync($"m{i}", TestApp.Ct);
        await using TestApp app = await StartAsync(
            [typeof(SlowQueue)],
            "--set", "AzureFunctionsJobHost:extensions:queues:batchSize=4", "--set", "AzureFunctionsJobHost:extensions:queues:newBatchThreshold=3");

        await TestApp.EventuallyAsync(() => Begun(app) == 4, "the first batch runs");
        // Four are more than the threshold of three, so the listener waits; a slip would show as a fifth.
        await Task.Delay(TimeSpan.FromSeconds(1), TestApp.Ct);
        Assert.Equal(4, Begun(app));
        app.Recorder.Open("slow");

        await TestApp.EventuallyAsync(() => app.Recorder.Events.Count(one => one.StartsWith("end", StringComparison.Ordinal)) == 12, "all ran");
        await IsEmptyAsync(queue);

        static int Begun(TestApp app) => app.Recorder.Events.Count(one => one.StartsWith("begin", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_poison_queue_has_no_poison_queue_and_its_failed_message_waits_out_its_lease()
    {
        QueueClient queue = await EmptyAsync("letters-poison");
        await using TestApp app = await StartAsync([typeof(PoisonReader)]);
        await queue.SendMessageAsync("dead", TestApp.Ct);
        await TestApp.EventuallyAsync(() => app.Recorder.Count("poison dead") == 1, "the message was tried");
        await app.Host.StopAsync(TestApp.Ct);

        Assert.Empty((await queue.ReceiveMessagesAsync(TestApp.Ct)).Value);
        QueueProperties properties = await queue.GetPropertiesAsync(TestApp.Ct);
        Assert.Equal(1, properties.ApproximateMessagesCount);
    }

    [Fact]
    public async Task Stopping_waits_for_the_run_that_goes_on_and_deletes_its_message()
    {
        QueueClient queue = await EmptyAsync("slow");
        TestApp app = await StartAsync([typeof(SlowQueue)]);
        await queue.SendMessageAsync("last", TestApp.Ct);
        await TestApp.EventuallyAsync(() => app.Recorder.Count("begin last") == 1, "the run began");

        Task stop = app.Host.StopAsync(TestApp.Ct);
        await queue.SendMessageAsync("too late", TestApp.Ct);
        app.Recorder.Open("slow");
        await stop;
        await app.DisposeAsync();

        Assert.Equal(["begin last", "end last"], app.Recorder.Events);
        PeekedMessage[] left = await queue.PeekMessagesAsync(32, TestApp.Ct);
        Assert.Equal(["too late"], left.Select(message => message.MessageText));
    }

    [Fact]
    public async Task A_disabled_function_leaves_its_queue_alone()
    {
        QueueClient queue = await EmptyAsync("failing");
        await EmptyAsync("orders");
        await using TestApp app = await StartAsync([typeof(FailingQueue), typeof(OrderQueue)], "--set", "AzureWebJobs.Failing.Disabled=true");
        await queue.SendMessageAsync("untouched", TestApp.Ct);
        await azurite.Queue("orders").SendMessageAsync("""{"id":1,"name":"x"}""", TestApp.Ct);

        await TestApp.EventuallyAsync(() => app.Recorder.Count("order 1 x") == 1, "the other function ran");
        Assert.Single((await queue.PeekMessagesAsync(32, TestApp.Ct)).Value);
    }

    private Task<TestApp> StartAsync(Type[] classes, params string[] args) =>
        TestApp.StartAsync(
            _data.Path,
            classes,
            configure: null,
            [
                "--set", $"AzureWebJobsStorage={azurite.ConnectionString}",
                "--set", "AzureFunctionsJobHost:extensions:queues:visibilityTimeout=00:00:00",
                "--set", "AzureFunctionsJobHost:extensions:queues:maxPollingInterval=00:00:00.2",
                .. args,
            ]);

    private async Task<QueueClient> EmptyAsync(string name)
    {
        await azurite.Queue(name + "-poison").DeleteIfExistsAsync(TestApp.Ct);
        QueueClient queue = azurite.Queue(name);
        await queue.CreateIfNotExistsAsync(cancellationToken: TestApp.Ct);
        await queue.ClearMessagesAsync(TestApp.Ct);
        return queue;
    }

    private async Task<PeekedMessage> PoisonAsync(string queue, QueueMessageEncoding encoding = QueueMessageEncoding.Base64)
    {
        QueueClient poison = azurite.Queue(queue + "-poison", encoding);
        PeekedMessage? found = null;
        await TestApp.EventuallyAsync(
            async () => await poison.ExistsAsync(TestApp.Ct) && (found = await poison.PeekMessageAsync(TestApp.Ct)) is not null, $"a message came to {poison.Name}");
        return found!;
    }

    /// <summary>Empty means that not even an invisible message is left.</summary>
    private static Task IsEmptyAsync(QueueClient queue) =>
        TestApp.EventuallyAsync(
            async () => (await queue.GetPropertiesAsync(TestApp.Ct)).Value.ApproximateMessagesCount == 0, $"queue {queue.Name} was empty");
}

public sealed class StorageOutageTests
{
    [Fact]
    public async Task A_restarted_Azurite_is_survived_and_reported_once()
    {
        await using AzuriteFixture azurite = new();
        await azurite.InitializeAsync();
        using TempFolder data = new();
        await using TestApp app = await TestApp.StartAsync(
            data.Path,
            [typeof(OrderQueue), typeof(SlowQueue)],
            configure: null,
            "--set", $"AzureWebJobsStorage={azurite.ConnectionString}", "--set", "AzureFunctionsJobHost:extensions:queues:maxPollingInterval=00:00:00.2");
        await azurite.Queue("orders").CreateIfNotExistsAsync(cancellationToken: TestApp.Ct);
        await azurite.Queue("orders").SendMessageAsync("""{"id":1,"name":"before"}""", TestApp.Ct);
        await TestApp.EventuallyAsync(() => app.Recorder.Count("order 1 before") == 1, "the first message ran");

        await azurite.StopAsync();
        await TestApp.EventuallyAsync(() => Said(app, "out of reach") == 1, "the outage was noticed");
        await azurite.StartAsync();
        await azurite.Queue("orders").CreateIfNotExistsAsync(cancellationToken: TestApp.Ct);
        await azurite.Queue("orders").SendMessageAsync("""{"id":2,"name":"after"}""", TestApp.Ct);

        await TestApp.EventuallyAsync(() => app.Recorder.Count("order 2 after") == 1, "the second message ran");
        Assert.Equal(1, Said(app, "out of reach"));
        await TestApp.EventuallyAsync(() => Said(app, "are back") == 1, "the recovery was reported");

        static int Said(TestApp app, string what) => app.Logs.Entries.Count(entry => entry.Text.Contains(what, StringComparison.Ordinal));
    }
}
