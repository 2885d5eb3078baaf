using Microsoft.Azure.Functions.Worker;

namespace KpiDashboard.IntegrationTests.LocalHost;

public sealed record Order(int Id, string Name);

public sealed class FailingQueue(Recorder recorder)
{
    [Function("Failing")]
    public Task RunAsync([QueueTrigger("failing")] string message)
    {
        recorder.Add($"run {message}");
        throw new InvalidOperationException("as always");
    }
}

public sealed class FlakyQueue(Recorder recorder)
{
    [Function("Flaky")]
    public void Run([QueueTrigger("flaky")] string message, int dequeueCount)
    {
        recorder.Add($"{message} {dequeueCount}");
        if (dequeueCount < 3)
            throw new InvalidOperationException("not yet");
    }
}

public sealed class OrderQueue(Recorder recorder)
{
    [Function("Orders")]
    public Task RunAsync([QueueTrigger("orders")] Order order)
    {
        recorder.Add($"order {order.Id} {order.Name}");
        return Task.CompletedTask;
    }
}

public sealed class SlowQueue(Recorder recorder)
{
    [Function("Slow")]
    public async Task RunAsync([QueueTrigger("slow")] string message, CancellationToken cancellationToken)
    {
        recorder.Add($"begin {message}");
        await recorder.WaitAtAsync("slow", cancellationToken);
        recorder.Add($"end {message}");
    }
}

public sealed class BindingQueues(Recorder recorder)
{
    [Function("AsText")]
    public void Text([QueueTrigger("as-text")] string message) => recorder.Add($"text {message}");

    [Function("AsBytes")]
    public void Bytes([QueueTrigger("as-bytes")] byte[] message) => recorder.Add($"bytes {Convert.ToHexString(message)}");

    [Function("FromSetting")]
    public void Setting([QueueTrigger("%QueueOfSetting%", Connection = "OtherStorage")] string message) => recorder.Add($"setting {message}");
}

public sealed class PoisonReader(Recorder recorder)
{
    [Function("PoisonReader")]
    public void Run([QueueTrigger("letters-poison")] string message)
    {
        recorder.Add($"poison {message}");
        throw new InvalidOperationException("cannot bury it either");
    }
}
