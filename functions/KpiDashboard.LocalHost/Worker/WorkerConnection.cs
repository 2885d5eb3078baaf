using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using Grpc.Core;
using KpiDashboard.LocalHost.Worker.Messages;
using static KpiDashboard.LocalHost.Worker.Messages.StreamingMessage;

namespace KpiDashboard.LocalHost.Worker;

/// <summary>The conversation with one worker: questions by request id, invocations by invocation id, logs in between.</summary>
internal sealed class WorkerConnection(Action<RpcLog> log)
{
    private readonly Channel<StreamingMessage> _out = Channel.CreateUnbounded<StreamingMessage>(
        new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<string, TaskCompletionSource<StreamingMessage>> _questions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TaskCompletionSource<InvocationResponse>> _invocations = new(StringComparer.Ordinal);
    // Of the invocations that run, those that the host has cancelled.
    private readonly ConcurrentDictionary<string, bool> _cancelled = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _lastQuestion;

    /// <summary>Completes when the worker is gone; everything that waited for it has failed then.</summary>
    public Task Closed => _closed.Task;

    /// <summary>Runs the conversation to its end.</summary>
    public async Task RunAsync(IAsyncStreamReader<StreamingMessage> input, IServerStreamWriter<StreamingMessage> output,
        CancellationToken cancellationToken)
    {
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _ = _closing.Task.ContinueWith(_ => ended.Cancel(), ended.Token, TaskContinuationOptions.None, TaskScheduler.Default);
        Task writing = WriteAsync(output, ended.Token);
        try
        {
            while (await input.MoveNext(ended.Token))
                Take(input.Current);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or Grpc.Core.RpcException)
        {
            // However it ended, it did.
        }
        finally
        {
            await ended.CancelAsync();
            await writing;
            Close();
        }
    }

    /// <summary>Sends a message and waits for its answer.</summary>
    /// <exception cref="WorkerGoneException">The worker ended before it answered.</exception>
    public async Task<StreamingMessage> AskAsync(StreamingMessage question, CancellationToken cancellationToken)
    {
        string id = question.RequestId = Interlocked.Increment(ref _lastQuestion).ToString(CultureInfo.InvariantCulture);
        TaskCompletionSource<StreamingMessage> answer = _questions.GetOrAdd(id, static _ =>
            new(TaskCreationOptions.RunContinuationsAsynchronously));
        Send(question);
        if (_closed.Task.IsCompleted)
            Close();
        return await answer.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Runs a function and waits until the worker says how it ended.</summary>
    /// <exception cref="WorkerGoneException">The worker ended in between.</exception>
    public Task<InvocationResponse> InvokeAsync(InvocationRequest invocation)
    {
        TaskCompletionSource<InvocationResponse> ended = _invocations.GetOrAdd(
            invocation.InvocationId, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
        Send(new StreamingMessage { InvocationRequest = invocation });
        if (_closed.Task.IsCompleted)
            Close();
        return ended.Task;
    }

    /// <summary>
    /// Cancels the token of an invocation. What the worker says of it from then on is no fault of the function's, so that it is logged for
    /// those who look for it only; whoever cancels says why.
    /// </summary>
    public void Cancel(string invocationId)
    {
        if (_invocations.ContainsKey(invocationId))
            _cancelled[invocationId] = true;
        Send(new StreamingMessage { InvocationCancel = new InvocationCancel { InvocationId = invocationId } });
    }

    /// <summary>Sends a message that has no answer; nothing happens if the worker is gone.</summary>
    public void Send(StreamingMessage message) => _out.Writer.TryWrite(message);

    /// <summary>Ends the conversation from this side.</summary>
    public void End() => _closing.TrySetResult();

    private async Task WriteAsync(IServerStreamWriter<StreamingMessage> output, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (StreamingMessage message in _out.Reader.ReadAllAsync(cancellationToken))
                await output.WriteAsync(message, cancellationToken);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or Grpc.Core.RpcException or InvalidOperationException)
        {
            // Nobody listens any more; the reading side sees the end.
        }
    }

    private void Take(StreamingMessage message)
    {
        switch (message.ContentCase)
        {
            case ContentOneofCase.RpcLog:
                if (message.RpcLog.Level > RpcLog.Types.Level.Debug && _cancelled.ContainsKey(message.RpcLog.InvocationId))
                    message.RpcLog.Level = RpcLog.Types.Level.Debug;
                log(message.RpcLog);
                break;
            case ContentOneofCase.InvocationResponse:
                if (_invocations.TryRemove(message.InvocationResponse.InvocationId, out TaskCompletionSource<InvocationResponse>? ended))
                    ended.TrySetResult(message.InvocationResponse);
                _cancelled.TryRemove(message.InvocationResponse.InvocationId, out _);
                break;
            default:
                if (_questions.TryRemove(message.RequestId, out TaskCompletionSource<StreamingMessage>? answer))
                    answer.TrySetResult(message);
                break;
        }
    }

    private void Close()
    {
        _out.Writer.TryComplete();
        _closed.TrySetResult();
        foreach (string id in _questions.Keys)
        {
            if (_questions.TryRemove(id, out TaskCompletionSource<StreamingMessage>? answer))
                answer.TrySetException(new WorkerGoneException());
        }

        foreach (string id in _invocations.Keys)
        {
            if (_invocations.TryRemove(id, out TaskCompletionSource<InvocationResponse>? ended))
                ended.TrySetException(new WorkerGoneException());
        }

        _cancelled.Clear();
    }
}

/// <summary>The worker ended while something waited for it.</summary>
internal sealed class WorkerGoneException() : Exception("The worker ended before it answered.");
