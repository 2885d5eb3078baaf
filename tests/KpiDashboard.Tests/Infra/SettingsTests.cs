using System.Collections;
using System.Reflection;
using System.Text.RegularExpressions;
using KpiDashboard.Kpis;
using Xunit;

namespace KpiDashboard.Tests.Infra;

/// <summary>
/// Settings that the code reads against settings that Bicep makes. What is read comes from the sources (each call that takes a section or a key) and from the
/// option classes that sections are bound to, by reflection; nobody keeps a list.
/// </summary>
[Trait("Clock", "none")]
public sealed partial class SettingsTests
{
    /// <summary>Read by the Functions host and the Azure libraries, not by our code.</summary>
    private static readonly HashSet<string> PlatformReads =
    [
        "AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__tableServiceUri",
    ];

    /// <summary>Read, without a default, and left out of Azure on purpose.</summary>
    private static readonly Dictionary<string, string> LeftOut = new(StringComparer.Ordinal)
    {
        ["AzureWebJobsStorage"] = "a connection string holds a key; the identity is used instead",
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "a collector of one's own; Application Insights is used instead",
        ["IDENTITY_ENDPOINT"] = "the platform sets it",
        ["WEBSITE_INSTANCE_ID"] = "the platform sets it",
        ["Demo__Tenant"] = "empty means: no demonstration is offered; whoever makes one names it",
        ["Outbound__AllowedHosts"] = "empty means: nothing beyond the rules",
    };

    private static readonly Assembly Product = typeof(KpiCatalogue).Assembly;
    private static readonly Reads Code = Reads.Find();

    [Fact]
    public void The_sources_were_understood()
    {
        Assert.Contains("ConnectionStrings__Postgres", Code.Keys);
        Assert.Contains("AzureWebJobsStorage__queueServiceUri", Code.Keys);
        Assert.Contains("Http__Proxies", Code.Keys);
        foreach (var section in new[] { "Auth", "Secrets", "Limits", "Http", "Web", "Mail", "Oidc", "Privacy", "Outbound", "GoogleAnalytics", "N8n" })
            Assert.Contains(section, Code.Sections.Keys);
        Assert.Empty(Code.NotUnderstood);
    }

    [Theory]
    [InlineData("dev")]
    [InlineData("prod")]
    [InlineData("everything")]
    [InlineData("separate")]
    public async Task Every_setting_that_Bicep_makes_is_read(string variant)
    {
        var unread = Bicep.Settings(await Bicep.DeployAsync(variant)).Keys.Where(setting => !PlatformReads.Contains(setting) && !Code.IsRead(setting));

        Assert.Empty(unread);
    }

    [Fact]
    public async Task Every_setting_that_the_code_reads_is_made_or_has_a_default()
    {
        var made = Bicep.Settings(await Bicep.DeployAsync("everything")).Keys.Concat(Bicep.Settings(await Bicep.DeployAsync("separate")).Keys).ToHashSet(StringComparer.Ordinal);

        var missing = Code.WithoutDefault().Where(setting => !LeftOut.ContainsKey(setting) && !made.Any(name => Reads.Matches(setting, name)));

        Assert.Empty(missing);
    }

    [Fact]
    public void A_setting_that_nobody_reads_is_caught()
    {
        Assert.False(Code.IsRead("Mail__Hots"));
        Assert.False(Code.IsRead("Nothing__At__All"));
        Assert.False(Code.IsRead("Oidc__google__Secret"));
        Assert.True(Code.IsRead("Oidc__google__ClientSecret"));
        Assert.True(Code.IsRead("Auth__SigningKeys__k1"));
        Assert.True(Code.IsRead("Limits__Refresh__Permits"));
    }

    [Fact]
    public void A_setting_without_a_default_must_be_made() =>
        Assert.Superset(new HashSet<string> { "ConnectionStrings__Postgres", "Mail__Host", "GoogleAnalytics__ClientSecret", "Auth__CurrentKey", "Web__BaseUrl" }, Code.WithoutDefault().ToHashSet());

    [Fact]
    public async Task Settings_of_Bicep_are_explained_in_the_sample()
    {
        var sample = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "local.settings.sample.json"), TestContext.Current.CancellationToken);
        foreach (var setting in Bicep.Settings(await Bicep.DeployAsync("separate")).Keys.Where(setting => Code.IsRead(setting) && !PlatformReads.Contains(setting)))
        {
            var words = setting.Split("__");
            // Keys and providers have names of their own there.
            var name = words is [var section, var middle, var last] && section is not "Oidc" ? $"\"{section}:{middle}:" : words.Length == 3 ? $":{words[2]}\"" : string.Join(':', words);
            Assert.True(sample.Contains(name, StringComparison.Ordinal) || sample.Contains(setting, StringComparison.Ordinal), $"{setting} is not in local.settings.sample.json.");
        }
    }

    /// <summary>What the code reads.</summary>
    private sealed partial class Reads
    {
        /// <summary>Option class by section.</summary>
        public Dictionary<string, Type> Sections { get; } = new(StringComparer.Ordinal);

        /// <summary>Keys that are read by name, in the form of environment variables, and whether the call has a default.</summary>
        public Dictionary<string, bool> ByName { get; } = new(StringComparer.Ordinal);

        public IEnumerable<string> Keys => ByName.Keys;

        /// <summary>Calls whose section or key could not be found out; there should be none, or this test sees less than there is.</summary>
        public List<string> NotUnderstood { get; } = [];

        public static Reads Find()
        {
            var reads = new Reads();
            var texts = Repository.Sources("KpiDashboard").Concat(Repository.Sources("KpiDashboard.Functions")).Select(File.ReadAllText).ToList();
            var constants = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var type in Product.GetTypes())
            {
                foreach (var field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic).Where(field => field is { IsLiteral: true } && field.FieldType == typeof(string)))
                    constants[$"{type.Name}.{field.Name}"] = (string)field.GetRawConstantValue()!;
            }

            foreach (var text in texts)
            {
                var own = TypeName().Matches(text).Select(match => match.Groups[1].Value).ToList();
                foreach (Match call in Bound().Matches(text))
                {
                    var (options, section) = (call.Groups["type"].Value, Value(call.Groups["section"].Value, own));
                    if (section is null || Product.GetTypes().FirstOrDefault(type => type.Name == options) is not { } found) reads.NotUnderstood.Add(call.Value);
                    else reads.Sections[section] = found;
                }

                foreach (Match call in Indexed().Matches(text))
                {
                    if (call.Groups["key"].Value.StartsWith('$'))
                    {
                        // $"{connection}:clientId": of each connection that the host would know; ours is one.
                        reads.ByName[$"AzureWebJobsStorage__{call.Groups["key"].Value.Split(':')[^1].Trim('"')}"] = false;
                        continue;
                    }

                    if (Value(call.Groups["key"].Value, own) is { } key) reads.ByName.TryAdd(key.Replace(":", "__", StringComparison.Ordinal), false);
                    else reads.NotUnderstood.Add(call.Value);
                }

                foreach (Match call in Got().Matches(text))
                    reads.ByName[(call.Groups["connection"].Success ? $"ConnectionStrings:{call.Groups["connection"].Value}" : call.Groups["key"].Value).Replace(":", "__", StringComparison.Ordinal)] =
                        call.Groups["default"].Success;
            }

            return reads;

            string? Value(string expression, List<string> own) =>
                expression.StartsWith('"') ? expression.Trim('"')
                : constants.TryGetValue(expression, out var named) ? named
                : own.Select(type => constants.GetValueOrDefault($"{type}.{expression}")).FirstOrDefault(value => value is not null);
        }

        public bool IsRead(string setting) => ByName.ContainsKey(setting) || Patterns().Any(pattern => Matches(pattern, setting));

        /// <summary>Whether a setting is one of a pattern, whose * stands for one name.</summary>
        public static bool Matches(string pattern, string setting) => Regex.IsMatch(setting, $"^{Regex.Escape(pattern).Replace(@"\*", "[^_]+", StringComparison.Ordinal)}$");

        /// <summary>Everything that is read and has no value by itself.</summary>
        public IEnumerable<string> WithoutDefault() =>
            ByName.Where(read => !read.Value).Select(read => read.Key)
                // What a class binds has the class's default, also where it is read by name as well.
                .Where(key => !Sections.Any(section => key.StartsWith(section.Key + "__", StringComparison.Ordinal)))
                .Concat(Sections.SelectMany(section => Properties(section.Key, section.Value, Activator.CreateInstance(section.Value, nonPublic: true)!))
                    .Where(property => property.Default is null or "" or IDictionary { Count: 0 }).Select(property => property.Pattern));

        private IEnumerable<string> Patterns() => Sections.SelectMany(section => Properties(section.Key, section.Value, Activator.CreateInstance(section.Value, nonPublic: true)!)).Select(property => property.Pattern);

        private static IEnumerable<(string Pattern, object? Default)> Properties(string section, Type type, object instance)
        {
            if (Values(type) is { } values)
            {
                var prototype = Activator.CreateInstance(values, nonPublic: true)!;
                // A dictionary that has entries has defaults for them: what a new entry lacks does not count.
                var filled = instance is IDictionary { Count: > 0 };
                foreach (var (pattern, value) in Properties($"{section}__*", values, prototype)) yield return (pattern, filled ? true : value);
                yield break;
            }

            foreach (var property in type.GetProperties().Where(property => property.SetMethod is { IsPublic: true }))
            {
                var value = property.GetValue(instance);
                var name = $"{section}__{property.Name}";
                yield return (Values(property.PropertyType) is null ? name : $"{name}__*", value);
            }
        }

        private static Type? Values(Type type)
        {
            for (var one = type; one is not null; one = one.BaseType)
                if (one.IsGenericType && one.GetGenericTypeDefinition() == typeof(Dictionary<,>)) return one.GetGenericArguments()[1];
            return null;
        }

        [GeneratedRegex(@"(AddOptions<(?<type>\w+)>\(\)\s*\.BindConfiguration\((?<section>[^)]+)\))|((AddOptions<(?<type>\w+)>\(\)\s*\.Bind|Configure<(?<type>\w+)>)\(\s*\w+\.GetSection\((?<section>[^)]+)\))")]
        private static partial Regex Bound();

        [GeneratedRegex(@"\b_?[cC]onfiguration\[(?<key>[^\]]+)\]")]
        private static partial Regex Indexed();

        [GeneratedRegex(@"GetConnectionString\(""(?<connection>\w+)""\)|\bconfiguration\.GetValue(<\w+>)?\(""(?<key>[^""]+)""(?<default>,)?")]
        private static partial Regex Got();

        [GeneratedRegex(@"\b(?:class|record|struct) (\w+)")]
        private static partial Regex TypeName();
    }
}
