using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Data;
using KpiDashboard.Mail;
using KpiDashboard.Security;
using Npgsql;

namespace KpiDashboard.Privacy;

/// <summary>One person: everything out, everything gone.</summary>
internal sealed class PersonalData(Database database, SecretSealer sealer, TimeProvider time)
{
    /// <summary>Most rows of one table in an export of a person.</summary>
    internal const int RowLimit = 100_000;

    private const int MailPage = 500;

    /// <summary>Writes everything that is kept about a person as one JSON object: an array for each table.</summary>
    public Task WriteAsync(Caller caller, Stream output, CancellationToken cancellationToken) => database.InSnapshotAsync(caller.TenantId, async connection =>
    {
        await using var command = new NpgsqlCommand("select part, item from export_person($1, $2)", connection)
        {
            Parameters = { new NpgsqlParameter<Guid> { TypedValue = caller.Person }, new NpgsqlParameter<int> { TypedValue = RowLimit } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await using var writer = new StreamWriter(output, new UTF8Encoding(false), bufferSize: 32 * 1024, leaveOpen: true);
        await writer.WriteAsync($"{{\n\"exported_at\": \"{time.GetUtcNow():O}\"");
        string? part = null;
        while (await reader.ReadAsync(cancellationToken))
        {
            var name = reader.GetString(0);
            await writer.WriteAsync(name == part ? ",\n" : $"{(part is null ? "" : "\n]")},\n\"{name}\": [\n");
            part = name;
            await writer.WriteAsync(reader.GetString(1));
        }

        await writer.WriteAsync(part is null ? "\n}\n" : "\n]\n}\n");
    }, cancellationToken);

    /// <summary>Erases a person: account, sessions, memberships, waiting mails; what it did stays in the audit logs without its name.</summary>
    /// <exception cref="ApiProblem">409: a business would be left without an owner.</exception>
    public async Task EraseAsync(Caller caller, CancellationToken cancellationToken)
    {
        var person = caller.Person;
        // By its id, and by its address only where it proved that: else those are mails to somebody else, the link to a new password for one.
        var mails = await WaitingMailsAsync(caller.EmailVerified ? [person.ToString("D"), caller.Name] : [person.ToString("D")], cancellationToken);
        var alone = await database.QueryAsync<string>("select erase_person(@person, @mails, @now)", new { person, mails = mails.ToArray(), now = time.GetUtcNow() }, cancellationToken);
        if (alone.Count > 0)
            throw ApiProblem.Conflict($"You are the only owner of {string.Join(" and of ", alone)}. Hand it over to somebody else or have it deleted first.");
    }

    /// <summary>Mails that wait to be sent and name a person. Only we can read whom they are to: they are sealed.</summary>
    private async Task<List<Guid>> WaitingMailsAsync(string[] names, CancellationToken cancellationToken)
    {
        var found = new List<Guid>();
        for (var after = Guid.Empty; ;)
        {
            var page = await database.QueryAsync<(Guid Id, bool Composed, byte[]? Payload)>(
                "select id, composed, payload from list_open_mail(@after, @limit)", new { after, limit = MailPage }, cancellationToken);
            foreach (var (id, composed, payload) in page)
            {
                if (IsTo(id, composed, payload, names)) found.Add(id);
            }

            if (page.Count < MailPage) return found;
            after = page[^1].Id;
        }
    }

    private bool IsTo(Guid id, bool composed, byte[]? payload, string[] names)
    {
        try
        {
            using var document = JsonDocument.Parse(sealer.Open(payload ?? [], MailOutbox.PurposeOf(id)));
            var root = document.RootElement;
            var recipient = composed && root.ValueKind == JsonValueKind.Object && root.TryGetProperty("to", out var to) ? to : root;
            return Holds(recipient, names);
        }
        catch (Exception error) when (error is CryptographicException or JsonException)
        {
            // Its key is gone, or it is no mail: nobody can send it either, and it must not keep anybody from being erased.
            return false;
        }
    }

    private static bool Holds(JsonElement element, string[] names) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().Any(field => Holds(field.Value, names)),
        JsonValueKind.Array => element.EnumerateArray().Any(item => Holds(item, names)),
        JsonValueKind.String => names.Contains(element.GetString(), StringComparer.OrdinalIgnoreCase),
        _ => false,
    };
}
