using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.RegularExpressions;
using static System.FormattableString;

namespace KpiDashboard.Push;

/// <summary>How a file is to be read: what its sender said, or <c>auto</c> for what the file shows.</summary>
internal sealed record CsvOptions(string Delimiter = "auto", string Decimal = "auto", string Dates = "auto");

/// <summary>How a file is read.</summary>
/// <param name="Dates">How dates with slashes or hyphens go; <c>iso</c> where there are none.</param>
/// <param name="Layout"><c>long</c>: date, kpi, value. <c>wide</c>: date and one column per KPI.</param>
internal sealed record CsvFormat(
    [property: AllowedValues("comma", "semicolon", "tab")] string Delimiter, [property: AllowedValues("point", "comma")] string Decimal,
    [property: AllowedValues("iso", "dmy", "mdy")] string Dates, string Encoding, [property: AllowedValues("long", "wide")] string Layout);

/// <summary>Something that the file leaves open, and the option that settles it.</summary>
internal sealed record CsvQuestion([property: AllowedValues("decimal", "dates")] string Option, string Sentence);

/// <summary>What is wrong, and where. <c>unknown</c>: the number that the line names and nobody has defined yet; null for anything
/// else.</summary>
internal sealed record ImportError(int Line, string Message, string? Unknown = null);

/// <summary>A value of a file.</summary>
internal readonly record struct CsvReading(int Line, string Kpi, DateOnly Day, decimal Value);

/// <summary>What a file holds.</summary>
/// <param name="Readings">Its values, in its order.</param>
/// <param name="Errors">The first of what is wrong.</param>
/// <param name="ErrorCount">How much is wrong.</param>
/// <param name="FirstLines">The lines of the first rows, good or bad.</param>
internal sealed record CsvContent(IReadOnlyList<CsvReading> Readings, IReadOnlyList<ImportError> Errors, int ErrorCount, IReadOnlyList<int> FirstLines);

/// <summary>
/// A CSV file of readings. How it is written is found out from the file alone, and what the file leaves open is asked instead of guessed: <c>03/04/2026</c> may be
/// March or April, <c>1.234</c> more than a thousand or little more than one.
/// </summary>
internal sealed partial class CsvFile
{
    /// <summary>Most rows besides the header.</summary>
    public const int MaxRows = 100_000;

    /// <summary>Most fields of all rows together: a business with as many KPIs as there may be has so many in ten years.</summary>
    public const int MaxFields = 1_000_000;

    /// <summary>After so many errors nobody reads on, and neither do we.</summary>
    public const int MostErrors = 10_000;

    /// <summary>How many errors are told one by one.</summary>
    public const int MaxErrors = 100;

    private const int SampleRecords = 50;
    private const int PreviewRows = 20;

    // A title, the account, the period and a blank line stand above the table of many a report.
    private const int MaxTitles = 10;

    // What our own files have besides: told, but nothing that a value is made of.
    private static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        "name", "unit", "currency", "status", "grain", "tenant_id", "day_ended", "integration_id", "run_id", "first_seen_at", "changed_at",
    };

    // How a file of GET export begins.
    private static readonly string[] Own = ["date", "kpi", "name", "value", "unit", "currency", "status"];

    private readonly List<CsvRecord> _records;
    private readonly string[] _header;
    private readonly int _headerLine, _date, _kpi, _value, _currency, _status;
    private readonly (int Line, string Text)? _markSample;

    private CsvFile(
        List<CsvRecord> records, string[] header, int headerLine, (int Date, int Kpi, int Value) columns, CsvFormat format, (int Line, string Text)? markSample,
        IReadOnlyList<CsvQuestion> questions)
    {
        (_records, _header, _headerLine, (_date, _kpi, _value), Format, _markSample, Questions) = (records, header, headerLine, columns, format, markSample, questions);
        (_currency, _status) = _kpi < 0 ? (-1, -1) : (Array.FindIndex(header, name => Is(name, "CURRENCY")), Array.FindIndex(header, name => Is(name, "STATUS")));
    }

    /// <summary>How the file is read.</summary>
    public CsvFormat Format { get; }

    /// <summary>What must be settled first; empty when all is clear.</summary>
    public IReadOnlyList<CsvQuestion> Questions { get; }

    /// <summary>How many rows there are besides the header.</summary>
    public int Rows => _records.Count;

    /// <summary>Finds out how a file is written.</summary>
    /// <returns>The file, or a sentence that says why it cannot be read at all.</returns>
    public static (CsvFile? File, string? Problem) Open(ReadOnlySpan<byte> bytes, CsvOptions options)
    {
        var (text, encoding) = CsvText.Decode(bytes);
        if (text is null) return (null, "This is no text file. Save the table as CSV first.");
        var (told, toldProblem) = ToldDelimiter(text);
        if (toldProblem is not null && options.Delimiter == "auto") return (null, toldProblem);
        var hasToldLine = told is not null || toldProblem is not null;
        char[] candidates = options.Delimiter switch { "comma" => [','], "semicolon" => [';'], "tab" => ['\t'], _ when told is { } sign => [sign], _ => [',', ';', '\t'] };
        var delimiter = candidates.MaxBy(candidate => Fit(text, candidate));

        var (records, fields) = (new List<CsvRecord>(), 0);
        foreach (var record in CsvText.Read(text, delimiter).Skip(hasToldLine ? 1 : 0).Take(MaxRows + MaxTitles + 2))
        {
            records.Add(record);
            if ((fields += record.Fields.Count) > MaxFields) return (null, $"The file has more than {MaxFields:N0} fields; cut it into several.");
        }

        if (records.Count == 0) return (null, "The file is empty.");
        var at = HeaderAt(records);
        if (records.Count - at > MaxRows + 1) return (null, $"The file has more than {MaxRows:N0} rows; cut it into several.");
        var names = at >= 0 ? records[at] : records[0];
        if (names.Fault is { } fault) return (null, $"Line {names.Line}: {fault}");
        var header = NamesOf(names);
        if (at < 0) return (null, $"No line names the columns, one of them 'date'. Line {names.Line} has: {CustomReadings.Short(string.Join(", ", header))}");
        var (date, kpi, value) = (Array.FindIndex(header, IsDate), Array.FindIndex(header, IsKpi), Array.FindIndex(header, IsValue));
        var isLong = kpi >= 0 && value >= 0;
        if (!isLong && header.Length < 2) return (null, $"Line {names.Line} names a date but no value: 'date,kpi,value', or a date and one column per KPI.");
        if (header.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(name => name.Count() > 1) is { } twice)
            return (null, twice.Key.Length == 0 ? $"Line {names.Line} has columns without a name." : $"Line {names.Line} names the column '{CustomReadings.Short(twice.Key)}' twice.");
        if (isLong && Extra(header, names.Line) is { } extra) return (null, extra);
        if (records.Count == at + 1) return (null, "The file has a header but no rows.");

        var rows = records[(at + 1)..];
        if (isLong && OfOtherGrain(rows, Array.FindIndex(header, name => Is(name, "GRAIN"))) is { } grain) return (null, grain);
        var questions = new List<CsvQuestion>();
        // Ours is as we wrote it, and nothing has to be asked; a spreadsheet that put it into another language parts it by semicolons.
        var wanted = options.Decimal == "auto" && delimiter == ',' && header.Take(Own.Length).SequenceEqual(Own, StringComparer.Ordinal) ? "point" : options.Decimal;
        var (mark, sample) = DecimalMark(Values(rows, header.Length, date, isLong ? value : -1), wanted, questions);
        var order = DateOrder(rows.Select(row => CsvCell.DayOf(date < row.Fields.Count ? row.Fields[date].Trim() : "").Day), options.Dates, questions);
        var format = new CsvFormat(delimiter switch { ',' => "comma", ';' => "semicolon", _ => "tab" }, mark, order, encoding, isLong ? "long" : "wide");
        return (new CsvFile(rows, header, names.Line, (date, isLong ? kpi : -1, isLong ? value : -1), format, sample, questions), null);
    }

    /// <summary>Reads the values.</summary>
    public CsvContent Read(CustomReadings rules)
    {
        var (readings, errors, count) = (new List<CsvReading>(), new List<ImportError>(), 0);
        var seen = new Dictionary<(string, DateOnly), int>();
        var kpis = new (string? Key, string? Reason)[_header.Length];
        if (_kpi < 0)
        {
            for (var column = 0; column < _header.Length; column++)
            {
                if (column == _date) continue;
                kpis[column] = rules.Kpi(_header[column]);
                if (kpis[column].Reason is { } reason) Fail(_headerLine, $"Column {column + 1}: {reason}");
            }
        }

        foreach (var row in _records)
        {
            if (count >= MostErrors) break;
            if (row.Fault is { } fault) { Fail(row.Line, fault); continue; }
            if (row.Fields.Count > _header.Length && row.Fields.Skip(_header.Length).Any(field => field.Length > 0))
            {
                Fail(row.Line, $"It has {row.Fields.Count} fields, but the header {_header.Length}. A value with the delimiter in it needs quotes.");
                continue;
            }

            var (dateText, timed) = CsvCell.DayOf(Field(row, _date));
            if (timed is not null) { Fail(row.Line, timed); continue; }
            if (Date(dateText, Format.Dates) is not { } day) { Fail(row.Line, dateText.Length == 0 ? "The date is missing." : $"'{CustomReadings.Short(dateText)}' is no date like {Example()}."); continue; }
            if (rules.Day(day) is { } wrongDay) { Fail(row.Line, wrongDay); continue; }
            if (_kpi >= 0)
            {
                // A day that our own file says is not measured is no value, and no mistake.
                if (_status >= 0 && Field(row, _value).Length == 0 && Is(Field(row, _status), "NOT_MEASURABLE")) continue;
                var (key, reason) = rules.Kpi(Field(row, _kpi));
                if (key is null) Fail(row.Line, reason!);
                else if (Field(row, _value).Length == 0) Fail(row.Line, "The value is missing.");
                else Add(row, _value, key, day);
                continue;
            }

            // An empty cell is a day without a value, not 0.
            for (var column = 0; column < _header.Length; column++)
            {
                if (column != _date && kpis[column].Key is { } key && Field(row, column).Length > 0) Add(row, column, key, day);
            }
        }

        errors.Sort((one, other) => one.Line.CompareTo(other.Line));
        return new CsvContent(readings, errors, count, [.. _records.Take(PreviewRows).Select(row => row.Line)]);

        void Add(CsvRecord row, int column, string key, DateOnly day)
        {
            var text = Field(row, column);
            var cell = CsvCell.Of(text);
            if (Number(cell.Number, Format.Decimal) is not { } value) Fail(row.Line, NoNumber(text));
            else if (rules.Mark(key, cell.Mark, text) is { } sign) Fail(row.Line, sign);
            else if (_currency >= 0 && rules.Currency(key, Field(row, _currency)) is { } other) Fail(row.Line, other);
            else if (CustomReadings.Value(value) is { } wrong) Fail(row.Line, wrong);
            else if (!seen.TryAdd((key, day), row.Line)) Fail(row.Line, Invariant($"{key} on {day:yyyy-MM-dd} stands on line {seen[(key, day)]} already."));
            else readings.Add(new CsvReading(row.Line, key, day, decimal.Round(cell.Mark == "%" ? value / 100 : value, CustomReadings.Decimals)));
        }

        void Fail(int line, string message)
        {
            if (count++ < MaxErrors) errors.Add(new ImportError(line, message, CustomReadings.UnknownIn(message)));
        }
    }

    private string NoNumber(string text)
    {
        var (shown, cell) = (CustomReadings.Short(text), CsvCell.Of(text).Number);
        // What stands in the way is named: a number of the other mark, or the sign that is no part of one.
        if (Number(cell, Format.Decimal == "point" ? "comma" : "point") is not null)
        {
            var like = _markSample is { } sample ? $", as '{CustomReadings.Short(sample.Text)}' on line {sample.Line} has it" : "";
            return $"'{shown}' is not a number with a decimal {Format.Decimal}{like}. A file has one decimal mark.";
        }

        var odd = cell.FirstOrDefault(c => !(char.IsAsciiDigit(c) || c is '.' or ',' or '-' or '+' or ' ' or '\'' or '’' or '\u00A0' or '\u202F'));
        return odd == default ? $"'{shown}' is not a number with a decimal {Format.Decimal}." : $"'{shown}' is not a number with a decimal {Format.Decimal}: '{odd}' is in the way.";
    }

    private string Example() => Format.Dates switch { "dmy" => "31/12/2026", "mdy" => "12/31/2026", _ => "2026-12-31" };

    private static string Field(CsvRecord row, int column) => column < row.Fields.Count ? row.Fields[column].Trim() : "";

    /// <summary>How well a delimiter suits: names that the header then has, then how many records have as many fields, then how many fields that is.</summary>
    private static (int Known, int Alike, int Fields) Fit(string text, char delimiter)
    {
        var sample = CsvText.Read(text, delimiter).Take(SampleRecords + MaxTitles).ToList();
        if (sample.Count == 0) return default;
        var header = sample[Math.Max(0, HeaderAt(sample))];
        var columns = header.Fields.Count;
        var known = header.Fields.Select(CsvCell.Name).Count(name => IsDate(name) || IsKpi(name) || IsValue(name) || IsOwnKey(name));
        return (known, columns < 2 ? 0 : sample.Count(record => record.Fields.Count == columns), columns);
    }

    private static bool IsOwnKey(string name) =>
        name.StartsWith("custom.", StringComparison.OrdinalIgnoreCase) && !name.Contains(',', StringComparison.Ordinal) && !name.Contains(';', StringComparison.Ordinal);

    /// <summary>Which record names the columns: the first that has a date among several, else the first that has one at all; −1 for none.</summary>
    private static int HeaderAt(List<CsvRecord> records)
    {
        var first = records.Take(MaxTitles + 1).ToList();
        var among = first.FindIndex(record => record.Fields.Count > 1 && record.Fields.Select(CsvCell.Name).Any(IsDate));
        return among >= 0 ? among : first.FindIndex(record => record.Fields.Select(CsvCell.Name).Any(IsDate));
    }

    private static string[] NamesOf(CsvRecord record)
    {
        string[] header = [.. record.Fields.Select(CsvCell.Name)];
        while (header.Length > 1 && header[^1].Length == 0) header = header[..^1];
        return header;
    }

    /// <summary>What a first line like <c>sep=;</c>, which Excel takes, says of the delimiter.</summary>
    private static (char? Delimiter, string? Problem) ToldDelimiter(string text)
    {
        if (Told().Match(text) is not { Success: true } match) return (null, null);
        var sign = match.Groups["sign"].Value[0];
        return sign is ',' or ';' or '\t' ? (sign, null) : (null, $"Line 1 says that '{sign}' separates the columns. It must be a comma, a semicolon or a tab.");
    }

    private static bool Is(string name, string word) => name.Equals(word, StringComparison.OrdinalIgnoreCase);

    /// <summary>Why a table of date, kpi and value has columns that it must not have; null when it does not.</summary>
    private static string? Extra(string[] header, int line)
    {
        if (header.FirstOrDefault(name => Is(name, "DIMENSION") || Is(name, "MEMBER")) is { } part)
            return $"Line {line} names the column '{part}': these are values of one part of a KPI (a channel, a country), and a KPI has one value a day.";
        var unknown = header.Where(name => !IsDate(name) && !IsKpi(name) && !IsValue(name) && !Known.Contains(name)).ToList();
        return unknown.Count == 0 ? null : $"Line {line} names more columns than 'date', 'kpi' and 'value': {CustomReadings.Short(string.Join(", ", unknown))}.";
    }

    /// <summary>Our own file of weeks or months has a value at the first day of each, which must not become that day's.</summary>
    private static string? OfOtherGrain(List<CsvRecord> rows, int column) =>
        column >= 0 && rows.Find(row => Field(row, column) is { Length: > 0 } word && !Is(word, "DAY")) is { Fields: not null } other
            ? $"Line {other.Line} is the value of a {CustomReadings.Short(Field(other, column))}, and values are kept by day. Export by day."
            : null;

    private static bool IsDate(string name) => name.ToUpperInvariant() is "DATE" or "DAY" or "DATUM";

    private static bool IsKpi(string name) => name.ToUpperInvariant() is "KPI" or "KEY";

    private static bool IsValue(string name) => name.ToUpperInvariant() is "VALUE" or "WERT";

    private static IEnumerable<(int Line, string Text)> Values(IEnumerable<CsvRecord> rows, int columns, int date, int value) =>
        from row in rows
        from column in Enumerable.Range(0, Math.Min(columns, row.Fields.Count))
        where value >= 0 ? column == value : column != date
        let text = row.Fields[column].Trim()
        where text.Length > 0
        select (row.Line, text);

    /// <summary>
    /// The mark that reads the numbers, and a number that shows it; asked where both do, to different effect. Where some lines say one and some the other, the more frequent:
    /// the others are errors.
    /// </summary>
    private static (string Mark, (int Line, string Text)? Sample) DecimalMark(IEnumerable<(int Line, string Text)> values, string wanted, List<CsvQuestion> questions)
    {
        if (wanted != "auto") return (wanted, null);
        var (point, comma, doubtful) = (new List<(int, string)>(), new List<(int, string)>(), (string?)null);
        foreach (var (line, text) in values)
        {
            var number = CsvCell.Of(text).Number;
            // Without a mark both ways of reading agree, and most numbers have none.
            if (!number.AsSpan().ContainsAny('.', ',')) continue;
            var (asPoint, asComma) = (Number(number, "point"), Number(number, "comma"));
            if (asPoint == asComma) continue;
            if (asComma is null) point.Add((line, text));
            else if (asPoint is null) comma.Add((line, text));
            else doubtful ??= number;
        }

        if (point.Count == 0 && comma.Count == 0 && doubtful is not null)
            questions.Add(new CsvQuestion("decimal", $"Is '{doubtful}' {Invariant($"{Number(doubtful, "point"):0.########}")} or {Invariant($"{Number(doubtful, "comma"):0.########}")}?"));
        var (mark, found) = comma.Count > point.Count ? ("comma", comma) : ("point", point);
        return (mark, found.Count > 0 ? found[0] : null);
    }

    private static string DateOrder(IEnumerable<string> dates, string wanted, List<CsvQuestion> questions)
    {
        var (dmy, mdy, doubtful) = (0, 0, (string?)null);
        var slashed = false;
        foreach (var text in dates)
        {
            if (Slashed().Match(text) is not { Success: true } match) continue;
            slashed = true;
            var (first, second) = (int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture));
            if (first > 12 && second <= 12) dmy++;
            else if (second > 12 && first <= 12) mdy++;
            else if (first != second) doubtful ??= text;
        }

        if (!slashed) return "iso";
        if (wanted is "dmy" or "mdy") return wanted;
        if (dmy == 0 && mdy == 0 && doubtful is not null) questions.Add(new CsvQuestion("dates", $"Does '{doubtful}' begin with the day or with the month?"));
        return mdy > dmy ? "mdy" : "dmy";
    }

    internal static DateOnly? Date(string text, string order)
    {
        if (DateOnly.TryParseExact(text, ["yyyy-MM-dd", "yyyy/MM/dd", "yyyyMMdd"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var iso)) return iso;
        // With dots the day always comes first.
        if (DateOnly.TryParseExact(text, "d.M.yyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out var dotted)) return dotted;
        if (order == "iso" || !Slashed().IsMatch(text)) return null;
        return DateOnly.TryParseExact(text.Replace('-', '/'), order == "dmy" ? "d/M/yyyy" : "M/d/yyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;
    }

    /// <summary>A number with a decimal mark; thousands may be parted by the other mark, a space or an apostrophe, and then in threes of a number that does not begin with 0: <c>0.125</c> is no 125.</summary>
    internal static decimal? Number(string text, string mark)
    {
        if (text.Length > 40 || !(mark == "point" ? WithPoint() : WithComma()).IsMatch(text)) return null;
        var plain = new string([.. text.Where(c => char.IsAsciiDigit(c) || c is '-' or 'e' or 'E' or '+' || c == (mark == "point" ? '.' : ',')).Select(c => c == ',' ? '.' : c)]);
        return decimal.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    [GeneratedRegex(@"^\s*""?sep=(?<sign>[^\r\n""])""?\s*(\r|\n|\z)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Told();

    [GeneratedRegex(@"^([0-9]{1,2})[/-]([0-9]{1,2})[/-][0-9]{4}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Slashed();

    [GeneratedRegex(@"^[+-]?([0-9]+|[1-9][0-9]{0,2}(,[0-9]{3})+|[1-9][0-9]{0,2}([ \u00A0\u202F'’][0-9]{3})+)?(?<=[0-9])(\.[0-9]*)?([eE][+-]?[0-9]{1,2})?\z|^[+-]?\.[0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex WithPoint();

    [GeneratedRegex(@"^[+-]?([0-9]+|[1-9][0-9]{0,2}(\.[0-9]{3})+|[1-9][0-9]{0,2}([ \u00A0\u202F'’][0-9]{3})+)?(?<=[0-9])(,[0-9]*)?([eE][+-]?[0-9]{1,2})?\z|^[+-]?,[0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex WithComma();
}
