using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KpiDashboard.LocalHost.Embedded;
using KpiDashboard.LocalHost.Startup;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>
/// Host keys and the master key: from <c>Functions:Keys:NAME</c> and <c>Functions:MasterKey</c>, else generated once and kept in <c>keys.json</c>
/// of the data folder. Keys of single functions do not exist here; a host key opens them all, as in Azure.
/// </summary>
internal sealed class FunctionKeys
{
    private const string Header = "x-functions-key";
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    private readonly byte[][] _hostKeys;
    private readonly byte[] _masterKey;

    private FunctionKeys(IEnumerable<string> hostKeys, string masterKey)
    {
        _hostKeys = [.. hostKeys.Select(Hash)];
        _masterKey = Hash(masterKey);
    }

    public static FunctionKeys Load(IConfiguration settings, string dataDirectory)
    {
        string[] configured = [.. settings.GetSection("Functions:Keys").GetChildren().Select(key => key.Value).OfType<string>().Where(key => key.Length > 0)];
        string? master = settings["Functions:MasterKey"] is { Length: > 0 } key ? key : null;
        if (configured.Length > 0 && master is not null)
            return new FunctionKeys(configured, master);

        string path = Path.Combine(dataDirectory, "keys.json");
        StoredKeys? stored = null;
        if (File.Exists(path))
        {
            try
            {
                stored = JsonSerializer.Deserialize<StoredKeys>(File.ReadAllBytes(path));
            }
            catch (JsonException e)
            {
                throw new StartupException($"{path} is damaged; delete it and new keys are made.", e);
            }
        }

        if (stored is not { Default.Length: > 0, Master.Length: > 0 })
        {
            stored = new StoredKeys(NewKey(), NewKey());
            AtomicFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(stored, s_json));
        }

        return new FunctionKeys(configured.Length > 0 ? configured : [stored.Default], master ?? stored.Master);
    }

    public bool Allows(HttpRequest request, KeyLevel level)
    {
        if (level == KeyLevel.Anonymous)
            return true;

        StringValues given = request.Headers.TryGetValue(Header, out StringValues header) ? header : request.Query["code"];
        if (given is not [{ Length: > 0 } key])
            return false;

        // Hashes have one length, and every key is compared: the time taken says nothing about a key.
        byte[] hash = Hash(key);
        bool allowed = CryptographicOperations.FixedTimeEquals(hash, _masterKey);
        if (level == KeyLevel.Function)
        {
            foreach (byte[] hostKey in _hostKeys)
                allowed |= CryptographicOperations.FixedTimeEquals(hash, hostKey);
        }

        return allowed;
    }

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(40)).Replace('+', '-').Replace('/', '_');

    private sealed record StoredKeys(string Default, string Master);
}

/// <summary>Files that are whole or not there, and their owner's alone.</summary>
internal static class AtomicFile
{
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        string temporary = path + ".new";
        using (FileStream file = PrivateFiles.Open(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
