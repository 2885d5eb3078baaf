using System.Security.Cryptography;
using System.Text.Json;
using KpiDashboard.LocalHost.Embedded;

namespace KpiDashboard.LocalHost.Startup;

/// <summary>
/// Passwords and keys of this installation, made once and kept in <c>secrets.json</c> of the data folder, readable by its owner only. What the settings
/// name is left alone.
/// </summary>
internal sealed class LocalSecrets
{
    private readonly Dictionary<string, string> _values;
    private readonly string _file;

    private LocalSecrets(string file, Dictionary<string, string> values) => (_file, _values) = (file, values);

    /// <summary>Opens the secrets of a data folder.</summary>
    public static LocalSecrets Open(string dataDirectory)
    {
        var file = Path.Combine(dataDirectory, "secrets.json");
        try
        {
            return new LocalSecrets(file, File.Exists(file) ? JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(file)) ?? [] : []);
        }
        catch (JsonException error)
        {
            throw new StartupException($"{file} is damaged. Restore it, or start afresh with --reset (what was sealed with its keys is lost then).", error);
        }
    }

    /// <summary>The secret of a name, 32 random bytes in base64; made when it is asked for the first time.</summary>
    public string Get(string name)
    {
        if (_values.TryGetValue(name, out var value)) return value;
        value = _values[name] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var temporary = _file + ".new";
        using (var stream = PrivateFiles.Open(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            JsonSerializer.Serialize(stream, _values);
        }

        File.Move(temporary, _file, overwrite: true);
        return value;
    }
}
