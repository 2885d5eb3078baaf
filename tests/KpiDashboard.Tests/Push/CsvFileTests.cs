using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using KpiDashboard.Kpis;
using KpiDashboard.Metrics;
using KpiDashboard.Push;
using Xunit;

namespace KpiDashboard.Tests.Push;

public sealed class CsvFileTests
{
    [Theory]
    [InlineData("custom.orders_shipped", "custom.orders_shipped")]
    [InlineData("Orders' shipped", "Orders' shipped")]
    [InlineData("web.sessions", null)]
    [InlineData("calc.profit", null)]
    [InlineData("", null)]
    [InlineData("A name of more than forty letters, which is not told whole", null)]
    public void A_number_that_nobody_defined_is_named_so_that_it_can_be_defined(string name, string? unknown)
    {
        var reason = new CustomReadings(new KpiDashboard.Kpis.TenantCatalogue([]), new DateOnly(2026, 11, 29)).Kpi(name).Reason!;
        Assert.Equal(unknown, CustomReadings.UnknownIn(reason));
        Assert.Equal(unknown, CustomReadings.UnknownIn($"Column 2: {reason}"));
    }

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
        // Reading ends there: who has so many errors mends the first ones and sends the file again.
        Assert.Equal((CsvFile.MostErrors, CsvFile.MaxErrors), (content.ErrorCount, content.Errors.Count));
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

    /// <summary>A business in euros with a count, money and a share.</summary>
    private static CustomReadings Euros { get; } = new(
        new TenantCatalogue([.. new[] { ("custom.a", KpiUnit.Count, "Bestellungen für heute"), ("custom.money", KpiUnit.Currency, "Money"), ("custom.share", KpiUnit.Ratio, "Share") }
            .Select(kpi => new KpiDefinition
            {
                Key = kpi.Item1,
                Name = kpi.Item3,
                Description = "",
                Unit = kpi.Item2,
                Direction = KpiDirection.Up,
                Aggregation = KpiAggregation.Sum,
                Source = TenantCatalogue.PushSource,
                IsSparse = true,
            })]), Today, "EUR");

    [Theory]
    [InlineData("custom.a", "\u2212100,00", "-100")]
    [InlineData("custom.a", "\u2013100,00", "-100")]
    [InlineData("custom.a", "100,00-", "-100")]
    [InlineData("custom.a", "(123.45)", "-123.45")]
    [InlineData("custom.a", "1.250,-", "1250")]
    [InlineData("custom.a", "12,-", "12")]
    [InlineData("custom.a", "12,\u2013", "12")]
    [InlineData("custom.a", "5.-", "5")]
    [InlineData("custom.a", "1'250.--", "1250")]
    [InlineData("custom.a", "-12,-", "-12")]
    [InlineData("custom.a", "1250-", "-1250")]
    [InlineData("custom.a", "0.125", "0.125")]
    [InlineData("custom.a", "-0.125", "-0.125")]
    [InlineData("custom.money", "€2,450.00", "2450")]
    [InlineData("custom.money", "-€2,450.00", "-2450")]
    [InlineData("custom.money", "€-2,450.00", "-2450")]
    [InlineData("custom.money", "(€ 2,450.00)", "-2450")]
    [InlineData("custom.money", "2.450,00 €", "2450")]
    [InlineData("custom.money", "2.450,00 EUR", "2450")]
    [InlineData("custom.share", "3.44%", "0.0344")]
    [InlineData("custom.share", "-3,44 %", "-0.0344")]
    public void A_number_is_read_as_people_write_it(string kpi, string written, string expected)
    {
        var content = Open($"date;kpi;value\n2026-11-20;{kpi};{written}\n").Read(Euros);
        Assert.Empty(content.Errors);
        Assert.Equal(decimal.Parse(expected, CultureInfo.InvariantCulture), content.Readings.Single().Value);
    }

    [Theory]
    [InlineData("custom.money", "$2,450.00", "'$'")]
    [InlineData("custom.money", "2,450.00 USD", "'USD'")]
    [InlineData("custom.a", "€5.00", "'€'")]
    [InlineData("custom.a", "3.44%", "'%'")]
    [InlineData("custom.a", "3.44 pcs", "'pcs'")]
    [InlineData("custom.a", "3.4.4", "3.4.4")]
    [InlineData("custom.a", "1/2", "'/'")]
    [InlineData("custom.a", "-(5)", "not a number")]
    [InlineData("custom.a", "(-5)", "not a number")]
    [InlineData("custom.a", "€5$", "not a number")]
    [InlineData("custom.a", "#REF!", "'#'")]
    public void What_cannot_be_read_is_refused_and_the_sign_in_the_way_is_named(string kpi, string written, string words)
    {
        var content = Open($"date;kpi;value\n2026-11-20;{kpi};{written}\n").Read(Euros);
        Assert.Empty(content.Readings);
        Assert.Contains(words, content.Errors.Single().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.125", "1.234,56")]
    [InlineData("1.234,56", "0.125")]
    [InlineData("0,125", "1,234.56")]
    [InlineData("00.125", "1.234,5")]
    [InlineData("012.345", "1.234,5")]
    [InlineData("0 125", "1.234,5")]
    public void Numbers_that_contradict_each_other_are_refused_and_none_becomes_another(string one, string other)
    {
        var content = Open($"date;kpi;value\n2026-11-19;custom.a;{one}\n2026-11-20;custom.a;{other}\n").Read(Euros);
        Assert.NotEmpty(content.Errors);
        Assert.DoesNotContain(content.Readings, reading => reading.Value is 125m or 12345m);
    }

    [Theory]
    [InlineData("2026-11-20 00:00:00")]
    [InlineData("2026-11-20T00:00:00")]
    [InlineData("2026-11-20 00:00")]
    [InlineData("2026-11-20 00:00:00.000")]
    [InlineData("20.11.2026 00:00")]
    [InlineData("11/20/2026 12:00:00 AM")]
    public void Midnight_behind_a_day_is_that_day(string date) =>
        Assert.Equal(new DateOnly(2026, 11, 20), Assert.Single(Open($"date;kpi;value\n{date};custom.a;1\n").Read(Euros).Readings).Day);

    [Theory]
    [InlineData("2026-11-20 13:45:00", "13:45:00")]
    [InlineData("2026-11-20 00:00:01", "00:00:01")]
    [InlineData("2026-11-20T00:00:00Z", "'Z'")]
    [InlineData("2026-11-20 00:00:00+01:00", "'+01:00'")]
    [InlineData("11/20/2026 12:00 PM", "12:00 PM")]
    [InlineData("12:30", "no date")]
    public void Another_time_of_day_is_no_day_and_is_named(string date, string words) =>
        Assert.Contains(words, Assert.Single(Open($"date;kpi;value\n{date};custom.a;1\n").Read(Euros).Errors).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("sep=;\r\n")]
    [InlineData("\"sep=;\"\n")]
    [InlineData("SEP=;\r")]
    public void A_line_that_tells_the_delimiter_is_taken_at_its_word_and_counted(string told)
    {
        var content = Open(told + "date;kpi;value\n2026-11-20;custom.a;1,5\n2026-11-21;custom.a;x\n").Read(Euros);
        Assert.Equal((3, 1.5m), (content.Readings.Single().Line, content.Readings.Single().Value));
        Assert.Equal(4, content.Errors.Single().Line);
    }

    [Fact]
    public void A_delimiter_that_is_none_is_named() =>
        Assert.Contains("'|'", CsvFile.Open(Encoding.UTF8.GetBytes("sep=|\ndate|kpi|value\n2026-11-20|custom.a|1\n"), new CsvOptions()).Problem, StringComparison.Ordinal);

    [Fact]
    public void The_header_may_stand_below_a_title_and_is_named_by_its_own_line()
    {
        const string Title = "Monthly report, all shops\n\n\"Made on 21 Nov\nby hand\"\n";
        var good = Open(Title + "date;custom.a\n2026-11-20;1\n").Read(Euros);
        Assert.Equal((6, 1m), (good.Readings.Single().Line, good.Readings.Single().Value));
        var bad = Open(Title + "date;custom.a;custom.none\n2026-11-20;1;2\n").Read(Euros);
        Assert.Equal(5, bad.Errors.Single().Line);
        Assert.Contains("Line 5", CsvFile.Open(Encoding.UTF8.GetBytes(Title + "date;custom.a;custom.a\n"), new CsvOptions()).Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    public void UTF_16_without_a_byte_order_mark_is_text(string encoding)
    {
        var (file, problem) = CsvFile.Open(Encoding.GetEncoding(encoding).GetBytes("date;Bestellungen f\u00FCr heute\n2026-11-20;5\n2026-11-21;6\n"), new CsvOptions());
        Assert.True(file is not null, problem);
        Assert.Equal("utf-16", file.Format.Encoding);
        Assert.Equal([5m, 6m], file.Read(Euros).Readings.Select(reading => reading.Value));
    }

    [Theory]
    [InlineData(NormalizationForm.FormC)]
    [InlineData(NormalizationForm.FormD)]
    [InlineData(NormalizationForm.FormKD)]
    public void A_name_is_the_same_name_composed_or_not(NormalizationForm form)
    {
        var name = "Bestellungen für heute".Normalize(form);
        Assert.Empty(Open($"date;{name}\n2026-11-20;5\n").Read(Euros).Errors);
        Assert.Empty(Open($"date;kpi;value\n2026-11-20;{name};5\n").Read(Euros).Errors);
    }

    [Fact]
    public void Our_own_file_is_read_and_what_is_in_the_way_of_it_is_named()
    {
        const string Header = "date,kpi,name,value,unit,currency,status";
        var content = Open($"{Header}\n2026-11-19,custom.a,A,5,count,,final\n2026-11-20,custom.a,A,,count,,not_measurable\n2026-11-20,custom.money,Money,7.5,currency,EUR,final\n").Read(Euros);
        Assert.Empty(content.Errors);
        Assert.Equal([5m, 7.5m], content.Readings.Select(reading => reading.Value));
        Assert.Contains("USD", Open($"{Header}\n2026-11-20,custom.money,Money,7.5,currency,USD,final\n").Read(Euros).Errors.Single().Message, StringComparison.Ordinal);
        Assert.Contains("month", CsvFile.Open(Encoding.UTF8.GetBytes($"{Header},grain\n2026-11-01,custom.a,A,5,count,,final,month\n"), new CsvOptions()).Problem, StringComparison.Ordinal);
        Assert.Contains("'dimension'", CsvFile.Open(Encoding.UTF8.GetBytes($"{Header},dimension,member\n2026-11-01,custom.a,A,5,count,,final,channel,Direct\n"), new CsvOptions()).Problem, StringComparison.Ordinal);
    }

    /// <summary>Days and values of the three KPIs of <see cref="Euros"/>, some days not measured, beside rows of KPIs that are not the business's own.</summary>
    public static class Exports
    {
        private static readonly (string Key, KpiUnit Unit, string? Currency)[] Own = [("custom.a", KpiUnit.Count, null), ("custom.money", KpiUnit.Currency, "EUR"), ("custom.share", KpiUnit.Ratio, null)];

        public static Arbitrary<ExportedRows> Rows() => (
            from days in Gen.Choose(0, 700).NonEmptyListOf()
            from values in (
                from whole in Gen.Choose(-2_000_000_000, 2_000_000_000)
                from scale in Gen.Choose(0, 8)
                from trailing in Gen.Choose(0, 3)
                select new decimal(Math.Abs(whole), 0, 0, whole < 0, (byte)scale) * (trailing == 0 ? 1.000m : 1)).NonEmptyListOf()
            from names in Gen.Elements("Orders", "=1+1", "Größe; \"all\",\r\nsecond line", "@sum", "1.234,56", "").NonEmptyListOf()
            from missing in Gen.Choose(2, 9)
            from measured in Gen.Elements(false, false, true)
            select new ExportedRows(
                [
                    .. days.Distinct().SelectMany((day, row) => Own.Select((kpi, column) => (Kpi: kpi, Day: Today.AddDays(-day), At: (row * Own.Length) + column))).Select(cell =>
                        cell.At % missing == missing - 1
                            ? new ExportedValue(cell.Day, cell.Kpi.Key, names[cell.At % names.Count], null, cell.Kpi.Unit, cell.Kpi.Currency, ValueStatus.NotMeasurable, null, null)
                            : new ExportedValue(cell.Day, cell.Kpi.Key, names[cell.At % names.Count], values[cell.At % values.Count], cell.Kpi.Unit, cell.Kpi.Currency, ValueStatus.Final, null, null)),
                    .. measured ? [new ExportedValue(Today, "web.sessions", "Sessions", 5, KpiUnit.Count, null, ValueStatus.Final, null, null)] : Array.Empty<ExportedValue>(),
                ])).ToArbitrary();
    }

    /// <summary>What <c>GET export</c> writes.</summary>
    public sealed record ExportedRows(object[] Values)
    {
        internal IReadOnlyList<ExportedValue> Rows => [.. Values.Cast<ExportedValue>()];

        public override string ToString() => string.Join('\n', Values);
    }

    [Property(Arbitrary = [typeof(Exports)], MaxTest = 300)]
    public async Task What_is_exported_is_imported_again_to_the_digit_without_a_question(ExportedRows exported)
    {
        await using var bytes = new MemoryStream();
        await ValueExportEndpoints.WriteCsvAsync(bytes, exported.Rows, "day", isPart: false, TestContext.Current.CancellationToken);
        var (file, problem) = CsvFile.Open(bytes.ToArray(), new CsvOptions());
        Assert.True(file is not null, problem);
        Assert.Empty(file.Questions);
        Assert.Equal(("comma", "point", "long"), (file.Format.Delimiter, file.Format.Decimal, file.Format.Layout));

        var content = file.Read(Euros);

        var own = exported.Rows.Where(row => row.Value is not null && row.Kpi.StartsWith("custom.", StringComparison.Ordinal));
        Assert.Equal(own.Select(row => (row.Kpi, row.Date, row.Value!.Value)), content.Readings.Select(reading => (reading.Kpi, reading.Day, reading.Value)));
        // What a connector measured is named as that, and nothing else is wrong.
        Assert.Equal(exported.Rows.Count(row => row.Kpi == "web.sessions"), content.ErrorCount);
        Assert.All(content.Errors, error => Assert.Contains("measured by a connector", error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_of_ours_that_a_spreadsheet_put_into_another_language_is_read_by_what_it_shows()
    {
        var content = Open("date;kpi;name;value;unit;currency;status\n2026-11-19;custom.money;Money;1234,5;currency;EUR;final\n").Read(Euros);
        Assert.Equal(1234.5m, content.Readings.Single().Value);
        // Parted by commas, with a header that is not ours, it is asked as before.
        Assert.NotEmpty(Open("date,kpi,value\n2026-11-19,custom.money,1.234\n").Questions);
    }

    /// <summary>What a file costs is bounded by its fields, however they lie in it, and by what of its faults is worked out.</summary>
    [Theory]
    [InlineData(250, 4001)]
    [InlineData(11, 99_000)]
    public void A_file_of_more_fields_than_a_business_has_values_is_refused_before_they_are_read(int columns, int rows)
    {
        var row = "2026-11-01" + string.Concat(Enumerable.Repeat(",1", columns - 1)) + "\n";
        var builder = new StringBuilder("date");
        for (var column = 1; column < columns; column++) builder.Append(CultureInfo.InvariantCulture, $",k{column}");
        builder.Append('\n');
        for (var at = 0; at < rows; at++) builder.Append(row);
        Assert.True((long)columns * rows > CsvFile.MaxFields);
        Assert.Contains("1,000,000 fields", CsvFile.Open(Encoding.UTF8.GetBytes(builder.ToString()), new CsvOptions()).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Faults_of_a_wide_file_end_the_reading_as_those_of_a_long_one_do()
    {
        var builder = new StringBuilder("date,custom.a,custom.b_2,custom.orders\n");
        for (var row = 0; row < CsvFile.MaxRows; row++) builder.Append("2026-11-01,x,y,z\n");
        var content = Open(builder.ToString()).Read(Rules);
        Assert.InRange(content.ErrorCount, CsvFile.MostErrors, CsvFile.MostErrors + 3);
        Assert.Equal(CsvFile.MaxErrors, content.Errors.Count);
    }

    [Property(MaxTest = 1000)]
    public void Any_cells_give_values_or_sentences_and_never_a_fault(NonNull<string> date, NonNull<string> value, NonNull<string> name)
    {
        static string Quote(string text) => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        var bytes = Encoding.UTF8.GetBytes($"date;kpi;value;{Quote(name.Get)}\n{Quote(date.Get)};custom.a;{Quote(value.Get)}\n");
        CsvFile.Open(bytes, new CsvOptions()).File?.Read(Euros);
        CsvCell.Of(value.Get);
        CsvCell.DayOf(date.Get);
        CsvCell.Name(name.Get);
    }

    private static CsvFile Open(string text)
    {
        var (file, problem) = CsvFile.Open(Encoding.UTF8.GetBytes(text), new CsvOptions());
        Assert.True(file is not null, problem);
        return file;
    }
}
