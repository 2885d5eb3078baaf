namespace KpiDashboard.Demo.N8n;

/// <summary>A node of a simulated workflow.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Y">Where it stands on the canvas: smaller is further up.</param>
/// <param name="Next">What its output is connected to.</param>
/// <param name="Fails">It ends in an error, and no "continue on fail" is set.</param>
/// <param name="Items">How many items it gives; with none, what hangs on it does not run.</param>
internal sealed record FlowNode(string Name, double Y, IReadOnlyList<string> Next, bool Fails = false, int Items = 1);

/// <summary>What came of a run.</summary>
/// <param name="Ran">Nodes in the order in which they ran, the failing one last.</param>
/// <param name="FailedAt">Where it failed; null for a success.</param>
internal sealed record FlowRun(IReadOnlyList<string> Ran, string? FailedAt);

/// <summary>
/// In which order a real n8n (2.41.1, execution order v1) runs the nodes of a workflow: of parallel branches the upper one to its end before the next begins, a node without items
/// ends its branch, and a failure ends the run there and then, so that what stands below never runs.
/// </summary>
internal static class N8nFlow
{
    /// <summary>Runs a workflow from its trigger.</summary>
    public static FlowRun Run(string trigger, IEnumerable<FlowNode> nodes)
    {
        var all = nodes.ToDictionary(node => node.Name, StringComparer.Ordinal);
        var ran = new List<string>();
        var open = new Stack<string>([trigger]);
        while (open.TryPop(out var name))
        {
            if (ran.Count >= 1000) throw new InvalidOperationException("The simulated workflow goes round in a circle.");
            var node = all[name];
            ran.Add(name);
            if (node.Fails) return new FlowRun(ran, name);
            if (node.Items == 0) continue;
            foreach (var next in node.Next.OrderByDescending(next => all[next].Y)) open.Push(next);
        }

        return new FlowRun(ran, null);
    }
}
