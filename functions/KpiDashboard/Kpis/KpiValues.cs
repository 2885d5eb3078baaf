using System.Globalization;
using KpiDashboard.Data;

namespace KpiDashboard.Kpis;

/// <summary>A month of one KPI of one source.</summary>
/// <param name="Source">Number of the source.</param>
/// <param name="Kpi">Key of the KPI.</param>
/// <param name="Month">Its first day.</param>
/// <param name="Days">31 places; null where there is no value.</param>
internal readonly record struct StoredMonth(short Source, string Kpi, DateOnly Month, decimal?[] Days);

/// <summary>
/// The one way from stored values to the engine: the months of some KPIs of a business over a range of days, of all its sources or of some.
/// </summary>
internal static class KpiValues
{
    // About as many rows cost as much as another statement does.
    private const int StatementInRows = 50;

    /// <summary>
    /// Reads them: a range of the primary key. What is asked in one round trip is read by one statement where ranges meet, so that a period, the one
    /// before and the weeks that insights look at are read once.
    /// </summary>
    /// <param name="tx">The tenant's transaction.</param>
    /// <param name="kpis">Keys of stored KPIs.</param>
    /// <param name="from">First day.</param>
    /// <param name="to">Last day; days of its month after it come, too.</param>
    /// <param name="sources">Numbers of the sources; null for all.</param>
    public static async Task<IReadOnlyList<StoredMonth>> LoadAsync(
        TenantTransaction tx, IReadOnlyCollection<string> kpis, DateOnly from, DateOnly to, IReadOnlyCollection<short>? sources)
    {
        var mine = new Question(kpis, FirstOfMonth(from), to, sources);
        var questions = tx.Together<List<Question>>();
        var asked = questions?.Find(other => other.Join(mine));
        if (asked is null)
        {
            asked = mine;
            questions?.Add(mine);
            mine.Ask(tx);
        }

        var months = await asked.Answer;
        return asked.IsJoint ? mine.Of(months) : months;
    }

    /// <summary>Months that are asked for; grows until it is sent.</summary>
    private sealed class Question(IReadOnlyCollection<string> kpis, DateOnly first, DateOnly to, IReadOnlyCollection<short>? sources)
    {
        private readonly HashSet<string> _kpis = new(kpis, StringComparer.Ordinal);
        // As it was asked, before others joined.
        private readonly DateOnly _from = first, _until = to;
        private readonly HashSet<string> _own = new(kpis, StringComparer.Ordinal);

        /// <summary>Parameters of the statement, read when it is sent.</summary>
        public string[] Kpis => [.. _kpis];

        /// <inheritdoc cref="Kpis"/>
        public DateOnly First { get; private set; } = first;

        /// <inheritdoc cref="Kpis"/>
        public DateOnly To { get; private set; } = to;

        /// <inheritdoc cref="Kpis"/>
        public short[]? Sources { get; } = sources?.Order().ToArray();

        internal Task<IReadOnlyList<StoredMonth>> Answer { get; private set; } = null!;

        /// <summary>Whether others joined.</summary>
        internal bool IsJoint { get; private set; }

        private int Rows => _kpis.Count * Months(First, To);

        internal void Ask(TenantTransaction tx) => Answer = AskAsync(tx);

        /// <summary>Takes in another one, if both together are about as few rows as each by itself.</summary>
        internal bool Join(Question other)
        {
            if (Sources is null != other.Sources is null || Sources?.AsSpan().SequenceEqual(other.Sources) == false) return false;
            var (from, until) = (First < other.First ? First : other.First, To > other.To ? To : other.To);
            var kpis = _kpis.Count + other._kpis.Count(kpi => !_kpis.Contains(kpi));
            if (kpis * Months(from, until) > Rows + other.Rows + StatementInRows) return false;
            (First, To) = (from, until);
            _kpis.UnionWith(other._kpis);
            IsJoint = true;
            return true;
        }

        /// <summary>Of the months of this or of a question that took it in, those that this one asked for.</summary>
        internal IReadOnlyList<StoredMonth> Of(IReadOnlyList<StoredMonth> months) =>
            [.. months.Where(month => month.Month >= _from && month.Month <= _until && _own.Contains(month.Kpi))];

        private static int Months(DateOnly from, DateOnly to) => (to.Year - from.Year) * 12 + to.Month - from.Month + 1;

        private async Task<IReadOnlyList<StoredMonth>> AskAsync(TenantTransaction tx)
        {
            var months = new List<StoredMonth>();
            await tx.ReadAsync(
                """
                select m.source, k.key, m.month, m.days
                from kpi_keys k
                join kpi_months m on m.tenant_id = @tenant and m.kpi = k.number and m.month between @First and @To
                                 and (@Sources::smallint[] is null or m.source = any (@Sources))
                where k.tenant_id = @tenant and k.key = any (@Kpis)
                """,
                this,
                reader => months.Add(new StoredMonth(
                    reader.GetInt16(0), reader.GetString(1), reader.GetFieldValue<DateOnly>(2), reader.GetFieldValue<decimal?[]>(3))));
            return months;
        }
    }

    /// <summary>Days that the database wrote as a text with commas, as arrays of days have no mapper.</summary>
    public static IReadOnlyList<DateOnly> DaysOf(string? text) => text is null
        ? []
        : [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(day => DateOnly.ParseExact(day, "yyyy-MM-dd",
            CultureInfo.InvariantCulture))];

    /// <summary>The first day of the month of a day.</summary>
    public static DateOnly FirstOfMonth(DateOnly day) => new(day.Year, day.Month, 1);
}
