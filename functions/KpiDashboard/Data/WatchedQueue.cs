namespace KpiDashboard.Data;

/// <summary>A queue of ours whose length and age operators see.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsInDatabase">
/// Its messages may be put off, so that the database knows better since when work is due: <c>oldest_due_work</c>. Else the first message says.
/// </param>
internal sealed record WatchedQueue(string Name, bool IsInDatabase);

/// <summary>Queues that a slice puts messages on; it registers them, in its own folder.</summary>
internal sealed record WatchedQueues(params IReadOnlyList<WatchedQueue> Queues);
