using System.Security.Cryptography;
using KpiDashboard.Data;

namespace KpiDashboard.Security;

/// <summary>How far sealing anew is with one column.</summary>
/// <param name="Column">For example <c>integrations.credentials</c>.</param>
/// <param name="Resealed">Values that were sealed with the current key now.</param>
/// <param name="Unreadable">Values that could not be opened, because their key is no longer configured or they are damaged. They stay as they are.</param>
/// <param name="Left">Values that others changed meanwhile, again and again, to one of another key: an instance that still runs with the old key. Rotate again.</param>
internal sealed record ColumnRotation(string Column, int Resealed, int Unreadable, int Left);

/// <summary>What sealing anew came to.</summary>
/// <param name="Key">Id of the key that everything is sealed with now.</param>
/// <param name="Columns">Each column, in a fixed order.</param>
internal sealed record RotationResult(string Key, IReadOnlyList<ColumnRotation> Columns)
{
    /// <summary>Nothing is sealed with another key any more: the others can be taken out of the configuration.</summary>
    public bool IsComplete => Columns.All(column => column is { Unreadable: 0, Left: 0 });
}

/// <summary>
/// A column that holds sealed values. The slice that writes it registers it, in its own folder. The columns stand in migration 0012 too; a
/// test compares them with the schema.
/// </summary>
/// <param name="Name">For example <c>integrations.credentials</c>.</param>
/// <param name="PurposeOf">What the value of a row is sealed for.</param>
internal sealed record SealedColumn(string Name, Func<Guid, string> PurposeOf);

/// <summary>
/// Seals every stored secret anew with the current key, so that the key before it can be thrown away. In small transactions, beside the running application; cut off, it
/// goes on where it stopped, because what is sealed with the current key is left alone.
/// </summary>
internal sealed class SecretRotation(Database database, SecretSealer sealer, IEnumerable<SealedColumn> columns)
{
    private const int BatchSize = 200, MaxPasses = 5;

    private readonly SealedColumn[] _columns = [.. columns.OrderBy(column => column.Name, StringComparer.Ordinal)];

    /// <summary>How many columns there are.</summary>
    public int Columns => _columns.Length;

    /// <summary>Seals everything anew that is not sealed with the current key.</summary>
    /// <param name="progress">Told after each batch how far the column is; null for nobody.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <exception cref="Api.ApiProblem">503: no key is configured.</exception>
    public async Task<RotationResult> RotateAsync(IProgress<ColumnRotation>? progress, CancellationToken cancellationToken)
    {
        var header = sealer.CurrentHeader();
        var rotated = new List<ColumnRotation>();
        foreach (var (column, purpose) in _columns)
            rotated.Add(await RotateAsync(column, purpose, header, progress, cancellationToken));
        return new RotationResult(sealer.CurrentKey, rotated);
    }

    private async Task<ColumnRotation> RotateAsync(string column, Func<Guid, string> purpose, byte[] header, IProgress<ColumnRotation>? progress, CancellationToken cancellationToken)
    {
        var state = new ColumnRotation(column, 0, 0, 0);
        // A second pass finds what others wrote during the first with the old key; it is over at once when there is none.
        for (var pass = 0; pass < MaxPasses; pass++)
        {
            state = state with { Unreadable = 0, Left = 0 };
            var after = Guid.Empty;
            while (true)
            {
                var page = await database.QueryAsync<(Guid Id, byte[] Value)>(
                    "select id, value from list_sealed(@column, @header, @after, @limit)", new { column, header, after, limit = BatchSize }, cancellationToken);
                if (page.Count == 0) break;
                after = page[^1].Id;
                var renewed = page.Select(row => (row.Id, Old: row.Value, New: Renew(row.Value, purpose(row.Id)))).ToList();
                var open = renewed.Where(row => row.New is not null).ToList();
                var replaced = open.Count == 0 ? 0 : (await database.QueryAsync<int>(
                    "select replace_sealed(@column, @ids, @old, @new)",
                    new { column, ids = open.Select(row => row.Id).ToArray(), old = open.Select(row => row.Old).ToArray(), @new = open.Select(row => row.New!).ToArray() }, cancellationToken)).Single();
                state = state with { Resealed = state.Resealed + replaced, Unreadable = state.Unreadable + renewed.Count - open.Count, Left = state.Left + open.Count - replaced };
                progress?.Report(state);
                if (page.Count < BatchSize) break;
            }

            if (state.Left == 0) break;
        }

        return state;
    }

    private byte[]? Renew(byte[] value, string purpose)
    {
        try
        {
            return sealer.Seal(sealer.Open(value, purpose), purpose);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
