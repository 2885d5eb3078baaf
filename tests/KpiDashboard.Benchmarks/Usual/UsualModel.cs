using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using KpiDashboard.Kpis.Usual;

namespace KpiDashboard.Benchmarks.Usual;

/// <summary>
/// How good the model of the usual and the forecasts are: beside today's rule, and beside exponential smoothing and theta of statsmodels
/// (peer.py), by the same protocol on the same days. Prints tables and writes them to docs/benchmarks.md.
/// </summary>
internal static class UsualModel
{
    private const string PeerFolder = "tests/KpiDashboard.Benchmarks/Usual";

    /// <summary>Runs it.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="peerFile">What peer.py printed before, to be taken instead of running it; null to run it.</param>
    public static async Task RunAsync(string root, string? peerFile)
    {
        var data = Path.Combine(root, "functions/KpiDashboard.Demo/Data");
        var website = MeasuredData.Read(Path.Combine(data, MeasuredData.Website));
        var shop = MeasuredData.Read(Path.Combine(data, MeasuredData.Shop), "revenue_usd", "dedup_revenue_usd")
            .Where(series => series.Values.Count(value => value > 0) > 85).ToList();
        List<MeasuredSeries> drawn =
        [
            .. new[] { 0.2, 0.5, 1, 2, 4, 8, 10, 30 }.Select(mean => MeasuredData.Small(mean)),
            .. new[] { 0.5, 1, 3, 10, 60 }.Select(orders => MeasuredData.Money(orders)), MeasuredData.Share(500, 0.02),
        ];
        var (peers, peerNote) = peerFile is null ? await RunPeerAsync(Path.Combine(data, MeasuredData.Website), root)
            : (Parse(await File.ReadAllLinesAsync(peerFile)), "");

        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"Measured on {DateTime.UtcNow:yyyy-MM-dd} on {Report.Machine()}.").AppendLine();
        text.AppendLine(peers.Count > 0 ? $"Peer: statsmodels {peers[0].GetProperty("statsmodels").GetString()} ({PeerFolder}/peer.py)."
            : $"Peer: not measured. {peerNote}").AppendLine();

        Bands(text, website, shop, drawn, peers);
        Forecasts(text, website, shop, drawn, peers);
        Cost(text, website);

        Console.WriteLine(text);
        await Report.WriteAsync(root, "usual", "Model of the usual and forecasts", text.ToString());
    }

    private static void Bands(
        StringBuilder text, IReadOnlyList<MeasuredSeries> website, List<MeasuredSeries> shop, List<MeasuredSeries> drawn,
        List<JsonElement> peers)
    {
        const string columns =
            "| series | method | days judged | false alarms: 1 day in | drop to zero | halved, 3 days | doubled | echoes |\n"
            + "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |";
        text.AppendLine("### Band: what is found, and how often it cries wolf").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            Day by day, learning from the days before alone. False alarms: untouched days called unusual (public holidays are not taken
            out, so a real Christmas counts as one). Faults: {BandProtocol.Faults} of each kind planted one at a time on days drawn with a
            fixed seed. Echoes: days of the week after a drop to zero that are called unusual only because of it. To reach: 1 in 60 or
            rarer, 100 %, 95 %, 95 %.
            """).AppendLine().AppendLine("Six years of a real site (2,167 days):").AppendLine().AppendLine(columns);
        foreach (var series in website)
        {
            Row(text, series.Name, "ours", BandProtocol.Measure(series, BandMethods.Ours));
            Row(text, series.Name, "today's rule", BandProtocol.Measure(series, BandMethods.TodaysRule));
            foreach (var (key, name) in new[] { ("etsBand", "statsmodels ETS(A,Ad,A)"), ("thetaBand", "statsmodels theta") })
            {
                if (Of(peers, series.Name, key) is { } peer)
                {
                    Row(text, series.Name, name, new BandFigures(
                        peer.GetProperty("judged").GetInt32(), peer.GetProperty("alarms").GetInt32(), peer.GetProperty("zero").GetDouble(),
                        peer.GetProperty("half").GetDouble(), peer.GetProperty("double").GetDouble(), double.NaN));
                }
            }
        }

        text.AppendLine().AppendLine("""
            A real shop, 92 days from November to January: 57 days are judged, each from five to thirteen weeks. Christmas lies in them, and
            revenue of the last days is known to be far too low, so that a halving is often within what was usual. Faults fall on 22 days
            alone, all in January:
            """).AppendLine().AppendLine(columns);
        foreach (var series in shop)
        {
            Row(text, series.Name, "ours", BandProtocol.Measure(series, BandMethods.Ours));
            Row(text, series.Name, "today's rule", BandProtocol.Measure(series, BandMethods.TodaysRule));
        }

        var odd = shop.SelectMany(series => OddDays(series).Select(day => (day, series.Name)))
            .GroupBy(one => one.day).OrderBy(group => group.Key);
        text.AppendLine().AppendLine("What ours called unusual there, untouched as it was:").AppendLine();
        foreach (var day in odd)
            text.AppendLine(CultureInfo.InvariantCulture, $"- {day.Key:yyyy-MM-dd}: {string.Join(", ", day.Select(one => one.Name))}");

        text.AppendLine().AppendLine("""
            Small businesses, drawn with a fixed seed (1,500 days each): where counting noise alone explains a drop there is nothing to
            find, and nothing may be claimed:
            """).AppendLine().AppendLine(columns);
        foreach (var series in drawn)
        {
            Row(text, series.Name, "ours", BandProtocol.Measure(series, BandMethods.Ours));
            Row(text, series.Name, "today's rule", BandProtocol.Measure(series, BandMethods.TodaysRule));
        }

        text.AppendLine();
    }

    private static IEnumerable<DateOnly> OddDays(MeasuredSeries series) =>
        Enumerable.Range(0, series.Values.Length).Where(day => BandMethods.Ours(series, series.Values, day) is 1 or -1)
            .Select(series.First.AddDays);

    private static void Row(StringBuilder text, string series, string method, BandFigures figures)
    {
        var alarms = figures.FalseAlarms == 0 ? "never" : string.Create(CultureInfo.InvariantCulture, $"{figures.DaysPerAlarm:F0}");
        text.Append(CultureInfo.InvariantCulture, $"| {series} | {method} | {figures.Judged} | {alarms} | {Share(figures.Zero)} ");
        text.AppendLine(CultureInfo.InvariantCulture, $"| {Share(figures.Half)} | {Share(figures.Twice)} | {Share(figures.Echoes)} |");
    }

    private static void Forecasts(
        StringBuilder text, IReadOnlyList<MeasuredSeries> website, List<MeasuredSeries> shop, List<MeasuredSeries> drawn,
        List<JsonElement> peers)
    {
        const string columns =
            "| series | method | forecasts | error ÷ naive's | MASE | error of 28-day sum ÷ naive's | day in 80 % "
            + "| 28 days in 80 % (95 %) | week | month | quarter |\n"
            + "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |";
        text.AppendLine("### Forecasts: error and coverage").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            From every {ForecastProtocol.Step}th day after eight weeks (the shop: from every day), from the days before alone, 28 days
            ahead. "Error ÷ naive's": mean absolute error as a share of seasonal naive's on the same days (to reach: below 0.9). "MASE" as Hyndman
            and Koehler (2006) define it: scaled by the error that seasonal naive makes one week ahead, so that four weeks ahead even a good
            forecast lies above 1. Coverage: how many of the days, and of the sums to the end of a period, lay within their 80 %
            interval, in brackets within the 95 % interval (to reach: 75 to 85 % of the former).
            """).AppendLine().AppendLine(columns);
        var real = new List<ForecastFigures>();
        foreach (var series in website)
        {
            var ours = ForecastProtocol.Measure(series, ForecastMethods.Ours)!;
            real.Add(ours);
            Row(text, series.Name, "ours", ours);
            foreach (var (key, name) in new[] { ("etsForecast", "statsmodels ETS(A,Ad,A)"), ("thetaForecast", "statsmodels theta") })
            {
                if (Of(peers, series.Name, key) is { } peer)
                {
                    Row(text, series.Name, name, new ForecastFigures(
                        peer.GetProperty("origins").GetInt32(), peer.GetProperty("againstNaive").GetDouble(),
                        peer.GetProperty("mase").GetDouble(), peer.GetProperty("sumAgainstNaive").GetDouble(), peer.GetProperty("dayCoverage80").GetDouble(),
                        new Dictionary<string, (double, double, int)>()));
                }
            }
        }

        var sorted = real.Select(figures => figures.AgainstNaive).Order().ToList();
        var median = (sorted[1] + sorted[2]) / 2;
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"Median of the four, ours: {median:F3} of seasonal naive's error.");
        text.AppendLine();
        text.AppendLine("""
            The shop has 92 days: nine forecasts, made from 26 December to 3 January by what eight weeks before Christmas were like. That is
            not enough to tell a method by, and none can know from it how far things fall after Christmas:
            """).AppendLine().AppendLine(columns);
        foreach (var series in shop)
        {
            if (ForecastProtocol.Measure(series, ForecastMethods.Ours, step: 1) is { } figures) Row(text, series.Name, "ours", figures);
        }

        text.AppendLine().AppendLine("Small businesses, drawn with a fixed seed:").AppendLine().AppendLine(columns);
        foreach (var series in drawn)
        {
            if (ForecastProtocol.Measure(series, ForecastMethods.Ours) is { } figures) Row(text, series.Name, "ours", figures);
            else text.AppendLine(CultureInfo.InvariantCulture, $"| {series.Name} | ours | 0 | no forecast: a ratio without parts ||||||||");
        }

        text.AppendLine();
    }

    private static void Row(StringBuilder text, string series, string method, ForecastFigures figures)
    {
        text.Append(CultureInfo.InvariantCulture, $"| {series} | {method} | {figures.Origins} ");
        text.Append(CultureInfo.InvariantCulture, $"| {figures.AgainstNaive:F3} | {figures.Mase:F3} ");
        text.Append(CultureInfo.InvariantCulture, $"| {figures.SumAgainstNaive:F3} | {Share(figures.DayCoverage80)} ");
        foreach (var stretch in new[] { "28 days", "week", "month", "quarter" })
        {
            var isKnown = figures.SumCoverage.TryGetValue(stretch, out var covered);
            text.Append(isKnown ? $"| {Share(covered.At80)} ({Share(covered.At95)}) " : "| – ");
        }

        text.AppendLine("|");
    }

    private static void Cost(StringBuilder text, IReadOnlyList<MeasuredSeries> website)
    {
        const int kpis = 30, days = 400, rounds = 15;
        var inputs = Enumerable.Range(0, kpis).Select(kpi =>
        {
            var series = website[kpi % website.Count];
            var known = Enumerable.Range(kpi * 40, days).Select(at => (series.First.AddDays(at), (decimal?)(decimal)series.Values[at]));
            return (known.ToArray(), Last: series.First.AddDays(kpi * 40 + days - 1));
        }).ToArray();
        var made = Array.ConvertAll(inputs, input => (Series: DaySeries.Of(SeriesNature.Count, input.Item1), input.Last));
        var parts = new[] { 1.0, 0.5, 0.25, 2 };
        var baseline = Best(() =>
        {
            foreach (var input in inputs)
            {
                foreach (var part in parts) Array.Sort(Array.ConvertAll(input.Item1, day => day.Item2!.Value * (decimal)part));
            }
        });
        text.AppendLine("### Cost").AppendLine().AppendLine(CultureInfo.InvariantCulture, $"""
            {kpis} KPIs of {days} days, one thread; best of {rounds} rounds. The baseline copies, scales and sorts the same decimals four
            times.
            """).AppendLine().AppendLine("| what | ms | ÷ baseline |").AppendLine("| --- | ---: | ---: |");
        Line("baseline", baseline);
        Line("series from decimals", Best(() => Array.ForEach(inputs, input => DaySeries.Of(SeriesNature.Count, input.Item1))));
        Line("band, the last day", Best(() => Array.ForEach(made, one => UsualBand.On(one.Series, one.Last))));
        Line("band, the last 28 days", Best(() => Array.ForEach(made, one => UsualBand.Over(one.Series, one.Last.AddDays(-27), one.Last))));
        Line("forecasts, 28 days and their sum", Best(() => Array.ForEach(made, one =>
            Forecaster.Make(one.Series, one.Last, one.Last.AddDays(28)).Over(one.Last.AddDays(1), one.Last.AddDays(28)))));
        Line("forecasts, 92 days, four sums", Best(() => Array.ForEach(made, one =>
        {
            var forecast = Forecaster.Make(one.Series, one.Last, one.Last.AddDays(92));
            foreach (var length in new[] { 7, 28, 31, 92 }) forecast.Over(one.Last.AddDays(1), one.Last.AddDays(length));
        })));
        text.AppendLine();

        void Line(string name, double took) =>
            text.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {took:F2} | {took / baseline:F2} |");

        static double Best(Action action)
        {
            var best = double.MaxValue;
            for (var round = -10; round < rounds; round++)
            {
                var started = Stopwatch.GetTimestamp();
                action();
                if (round >= 0) best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }

            return best;
        }
    }

    private static string Share(double share) =>
        double.IsNaN(share) ? "–" : string.Create(CultureInfo.InvariantCulture, $"{share * 100:F1} %");

    private static JsonElement? Of(List<JsonElement> peers, string series, string key)
    {
        foreach (var line in peers)
        {
            if (line.TryGetProperty("series", out var name) && name.GetString() == series) return line.GetProperty(key);
        }

        return null;
    }

    private static List<JsonElement> Parse(IEnumerable<string> lines) =>
        [.. lines.Where(line => line.StartsWith('{')).Select(line => JsonDocument.Parse(line).RootElement)];

    private static async Task<(List<JsonElement> Lines, string Note)> RunPeerAsync(string path, string root)
    {
        foreach (var python in new[] { "/usr/bin/python3", "python3", "python" })
        {
            try
            {
                var start = new ProcessStartInfo(python) { RedirectStandardOutput = true };
                var script = Path.Combine(root, PeerFolder, "peer.py");
                string[] arguments = [script, path, $"{BandProtocol.Faults}", $"{ForecastProtocol.Step}"];
                foreach (var argument in arguments) start.ArgumentList.Add(argument);
                using var process = Process.Start(start)!;
                Console.WriteLine($"The peer runs ({python}); that takes a quarter of an hour.");
                var lines = await process.StandardOutput.ReadToEndAsync();
                await process.WaitForExitAsync();
                if (process.ExitCode == 0) return (Parse(lines.Split('\n')), "");
            }
            catch (System.ComponentModel.Win32Exception)
            {
                // There is no such program; the next name may be one.
            }
        }

        return ([], "There is no python3 with statsmodels here (apt-get install python3-statsmodels).");
    }
}
