using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using KpiDashboard.Kpis;
using KpiDashboard.Push;
using Xunit;

namespace KpiDashboard.Tests.Push;

public sealed class CsvFileTests
{
    private static readonly DateOnly Today = new(2026, 11, 22);
    private static readonly string[] Keys = ["custom.a", "custom.b_2", "custom.orders"];

    private static CustomReadings Rules { get; } = new(
        new TenantCatalogue([.. Keys.Select((key, index) => new KpiDefinition
        {
            Key = key,
            Name = index == 2 ? "Orders; shipped, \"all\"" : $"Kpi {index}",
            Description = "",
            Unit = KpiUnit.Count,
            Direction = KpiDirection.Up,
            Aggregation = KpiAggregation.Sum,
            Source = TenantCatalogue.PushSource,
            IsSparse = true,
        })]), Today);

    /// <summary>A table as some program might write it.</summary>
    public sealed record Written(char Delimiter, bool DecimalComma, bool Grouped, string DateStyle, bool Wide, bool QuoteAll, string NewLine, string Encoding, int[] Days, decimal[] Values)
    {
        public string Number(decimal value)
        {
            var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NumberGroupSeparator) = DecimalComma ? (",", ".") : (".", ",");
            return value.ToString(Grouped ? "#,##0.########" : "0.########", culture);
        }

        public string Day(DateOnly day) => day.ToString(DateStyle, CultureInfo.InvariantCulture);

        public string Field(string text) =>
            QuoteAll || text.Contains(Delimiter, StringComparison.Ordinal) || text.Contains('"', StringComparison.Ordinal) ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;

        /// <summary>The values: one per day and KPI, keyed as they should come out.</summary>
        public Dictionary<(string, DateOnly), decimal> Cells { get; } = Days.Distinct().Select((day, row) => (day, row))
            .SelectMany(item => Keys.Select((key, column) => (Key: (key, Today.AddDays(-item.day)), Value: Values[((item.row * 3) + column) % Values.Length])))
            .ToDictionary(cell => cell.Key, cell => cell.Value);

        public byte[] Bytes()
        {
            var rows = new List<string[]>();
            if (Wide)
            {
                rows.Add(["Date", Keys[0], Keys[1], "Orders; shipped, \"all\""]);
                rows.AddRange(Cells.GroupBy(cell => cell.Key.Item2).Select(day => (string[])[Day(day.Key), .. Keys.Select(key => Number(Cells[(key, day.Key)]))]));
            }
            else
            {
                rows.Add(["kpi", "date", "value"]);
                rows.AddRange(Cells.Select(cell => (string[])[cell.Key.Item1, Day(cell.Key.Item2), Number(cell.Value)]));
            }

            var text = string.Join(NewLine, rows.Select(row => string.Join(Delimiter, row.Select(Field)))) + NewLine;
            return Encoding switch
            {
                "bom" => [0xEF, 0xBB, 0xBF, .. System.Text.Encoding.UTF8.GetBytes(text)],
                "utf-16" => [0xFF, 0xFE, .. System.Text.Encoding.Unicode.GetBytes(text)],
                _ => System.Text.Encoding.UTF8.GetBytes(text),
            };
        }
    }

    public static class Tables
    {
        public static Arbitrary<Written> Written() => (
            from delimiter in Gen.Elements(',', ';', '\t')
            from comma in Gen.Elements(true, false)
            from grouped in Gen.Elements(true, false)
            from style in Gen.Elements("yyyy-MM-dd", "yyyy/MM/dd", "d.M.yyyy", "dd.MM.yyyy", "dd/MM/yyyy", "M/d/yyyy", "d-M-yyyy", "yyyyMMdd")
            from wide in Gen.Elements(true, false)
            from quoted in Gen.Elements(true, false)
            from line in Gen.Elements("\n", "\r\n", "\r")
            from encoding in Gen.Elements("none", "bom", "utf-16")
            from days in Gen.Choose(0, 700).NonEmptyListOf()
            from values in (from whole in Gen.Choose(-2_000_000_000, 2_000_000_000) from scale in Gen.Choose(0, 8) select new decimal(Math.Abs(whole), 0, 0, whole < 0, (byte)scale)).NonEmptyListOf()
            select new Written(delimiter, comma, grouped, style, wide, quoted, line, encoding, [.. days], [.. values])).ToArbitrary();
    }

    [Property(Arbitrary = [typeof(Tables)], MaxTest = 500)]
    public void Any_table_reads_back_however_it_was_written_or_the_file_is_asked_about(Written table)
    {
        var (file, problem) = CsvFile.Open(table.Bytes(), new CsvOptions());
        Assert.True(file is not null, problem);
        if (file.Questions.Count > 0)
        {
            // Only what both readings admit may be asked, and the answer settles it.
            Assert.All(file.Questions, question => Assert.True(
                question.Option == "dates" ? table.DateStyle is "dd/MM/yyyy" or "M/d/yyyy" or "d-M-yyyy" && table.Cells.Keys.All(cell => cell.Item2.Day <= 12)
                    : table.Cells.Values.All(value => CsvFile.Number(table.Number(value), "point") is not null && CsvFile.Number(table.Number(value), "comma") is not null)));
            (file, problem) = CsvFile.Open(table.Bytes(), new CsvOptions("auto", table.DecimalComma ? "comma" : "point", table.DateStyle.StartsWith('M') ? "mdy" : "dmy"));
            Assert.True(file is { Questions.Count: 0 }, problem);
        }

        var content = file.Read(Rules);
        Assert.Empty(content.Errors);
        Assert.Equal(table.Cells.OrderBy(cell => cell.Key), content.Readings.ToDictionary(reading => (reading.Kpi, reading.Day), reading => reading.Value).OrderBy(cell => cell.Key));
        Assert.Equal(table.Cells.Count, content.Readings.Count);
    }

    [Property(MaxTest = 500)]
    public void Any_bytes_give_a_file_or_a_sentence_and_never_a_fault(byte[] bytes)
    {
        var (file, problem) = CsvFile.Open(bytes, new CsvOptions());
        Assert.True(file is null != problem is null);
        file?.Read(Rules);
        var (withHeader, _) = CsvFile.Open([.. "date,kpi,value\n"u8, .. bytes], new CsvOptions());
        withHeader?.Read(Rules);
    }

    [Property(MaxTest = 500)]
    public void Fields_that_were_quoted_come_back_whole_and_lines_are_counted(NonNull<string>[][] table)
    {
        var records = table.Select(row => row.Select(field => field.Get.Replace("\0", "", StringComparison.Ordinal)).ToArray()).Where(row => row.Any(field => !string.IsNullOrWhiteSpace(field)) && row.All(field => field.Length < 500)).ToList();
        var text = string.Join('\n', records.Select(row => string.Join(';', row.Select(field => $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\""))));
        var read = CsvText.Read(text, ';').ToList();
        Assert.Equal(records, read.Select(record => record.Fields.ToArray()));
        Assert.All(read, record => Assert.Null(record.Fault));
        var line = 1;
        foreach (var (row, record) in records.Zip(read))
        {
            Assert.Equal(line, record.Line);
            line += 1 + row.Sum(field => field.Replace("\r\n", "\n", StringComparison.Ordinal).Count(c => c is '\n' or '\r'));
        }
    }

    [Theory]
    [InlineData("1234", "point", "1234")]
    [InlineData("1,234", "point", "1234")]
    [InlineData("1,234", "comma", "1.234")]
    [InlineData("1.234,5", "comma", "1234.5")]
    [InlineData("1.234,5", "point", null)]
    [InlineData("1 234 567.25", "point", "1234567.25")]
    [InlineData("1'234.5", "point", "1234.5")]
    [InlineData("-0,5", "comma", "-0.5")]
    [InlineData(",5", "comma", "0.5")]
    [InlineData("+7", "point", "7")]
    [InlineData("1e3", "point", "1000")]
    [InlineData("12,34", "point", null)]
    [InlineData("1,2345", "point", null)]
    [InlineData("€5", "point", null)]
    [InlineData("5 %", "point", null)]
    [InlineData("NaN", "point", null)]
    [InlineData("-", "point", null)]
    [InlineData("", "point", null)]
    [InlineData("1e99", "point", null)]
    [InlineData("٣", "point", null)]
    public void A_number_is_read_by_its_mark_or_refused(string text, string mark, string? expected) =>
        Assert.Equal(expected is null ? null : decimal.Parse(expected, CultureInfo.InvariantCulture), CsvFile.Number(text, mark));

    [Fact]
    public void What_a_file_leaves_open_is_asked_and_not_guessed()
    {
        var file = Open("date;kpi;value\n03/04/2026;custom.a;1.234\n05/06/2026;custom.a;2.345\n");
        Assert.Equal(["dates", "decimal"], file.Questions.Select(question => question.Option).Order());
        Assert.Contains("1234 or", file.Questions.Single(question => question.Option == "decimal").Sentence.Replace("1.234 or 1234", "1234 or", StringComparison.Ordinal), StringComparison.Ordinal);

        // One line that can be read in one way only settles it for all.
        Assert.Equal(("dmy", "comma"), Styles(Open("date;kpi;value\n03/04/2026;custom.a;1.234\n25/06/2026;custom.a;2,5\n")));
        Assert.Equal(("mdy", "point"), Styles(Open("date;kpi;value\n03/04/2026;custom.a;1.234\n06/25/2026;custom.a;2.5\n")));
        Assert.Equal("iso", Open("date,kpi,value\n2026-03-04,custom.a,1\n").Format.Dates);

        static (string, string) Styles(CsvFile file)
        {
            Assert.Empty(file.Questions);
            return (file.Format.Dates, file.Format.Decimal);
        }
    }

    [Fact]
    public void Every_bad_line_is_named_by_its_number_with_a_reason()
    {
        var content = Open(
            "date,kpi,value\n" // 1
            + "2026-11-01,custom.a,1\n" // 2
            + "\n" // 3
            + "2026-11-02,custom.x,2\n" // 4
            + "\"2026-11-03\",\"custom.a\",\"1\n2\"\n" // 5 and 6
            + "2026-11-31,custom.a,3\n" // 7
            + "2026-11-24,custom.a,4\n" // 8
            + "2024-10-21,custom.a,5\n" // 9
            + "2026-11-01,custom.A,6\n" // 10
            + "2026-11-04,web.sessions,7\n" // 11
            + "2026-11-05,custom.a,\n" // 12
            + "2026-11-06,custom.a,8,9\n" // 13
            + "2026-11-07,\"custom.a\"x,8\n" // 14
            + "2026-11-08,custom.b_2,9e15\n" // 15
            + "2026-11-23,custom.b_2,\"9\"\n" // 16
            + "2026-11-09,\"custom.a,1\n").Read(Rules);
        Assert.Equal([4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17], content.Errors.Select(error => error.Line));
        Assert.Equal(12, content.ErrorCount);
        Assert.Equal([2, 16], content.Readings.Select(reading => reading.Line));
        foreach (var (line, words) in new[]
        {
            (4, "no custom KPI 'custom.x'"), (7, "no date"), (8, "in the future"), (9, "25 months"), (10, "stands on line 2 already"), (11, "measured by a connector"), (12, "value is missing"),
            (13, "4 fields"), (14, "closing quote"), (17, "never closed"),
        })
            Assert.Contains(words, content.Errors.Single(error => error.Line == line).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("a,b\n1,2", "one of them 'date'")]
    [InlineData("date\n2026-01-01", "no value")]
    [InlineData("date,custom.a,custom.a\n", "twice")]
    [InlineData("date,kpi,value,more\n", "more columns")]
    [InlineData("date,kpi,value\n", "no rows")]
    [InlineData("da\0te,kpi", "no text file")]
    public void What_is_no_table_of_readings_is_said(string text, string words) =>
        Assert.Contains(words, CsvFile.Open(Encoding.UTF8.GetBytes(text), new CsvOptions()).Problem, StringComparison.Ordinal);

    [Fact]
    public void A_hundred_thousand_rows_are_read_and_one_more_is_refused()
    {
        var builder = new StringBuilder("date,kpi,value\n");
        for (var row = 0; row < CsvFile.MaxRows; row++) builder.Append("2026-11-01,custom.a,1\n");
        Assert.Equal(CsvFile.MaxRows, Open(builder.ToString()).Rows);
        Assert.Contains("100,000 rows", CsvFile.Open(Encoding.UTF8.GetBytes(builder + "2026-11-01,custom.a,1\n"), new CsvOptions()).Problem, StringComparison.Ordinal);
        var content = Open(builder.ToString()).Read(Rules);
        Assert.Equal((CsvFile.MaxRows - 1, CsvFile.MaxErrors), (content.ErrorCount, content.Errors.Count));
    }

    [Fact]
    public void An_empty_cell_of_a_wide_table_is_no_value_and_not_0()
    {
        var content = Open("date;custom.a;custom.b_2\n2026-11-01;;5\n2026-11-02;7;\n").Read(Rules);
        Assert.Equal([("custom.b_2", 5m), ("custom.a", 7m)], content.Readings.Select(reading => (reading.Kpi, reading.Value)));
        Assert.Empty(content.Errors);
    }

    [Fact]
    public void What_is_no_UTF_8_is_read_as_Windows_1252()
    {
        var (file, _) = CsvFile.Open([.. "date;K\u00FCchen\n2026-11-01;5".Select(c => (byte)c)], new CsvOptions());
        Assert.Equal("windows-1252", file!.Format.Encoding);
        Assert.Contains("'Küchen'", file.Read(Rules).Errors.Single().Message, StringComparison.Ordinal);
    }

    private static CsvFile Open(string text)
    {
        var (file, problem) = CsvFile.Open(Encoding.UTF8.GetBytes(text), new CsvOptions());
        Assert.True(file is not null, problem);
        return file;
    }
}
