using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using KpiDashboard.Data;
using Microsoft.Extensions.Configuration;

namespace KpiDashboard.Cli;

/// <summary>
/// Where a backup lies: a file, or <c>blob:CONTAINER/NAME</c> of the storage account <c>Backup:Storage</c> or <c>Backup:blobServiceUri</c>, else of the app's own
/// (<c>AzureWebJobsStorage</c>). Never overwrites, and never leaves half a backup under its name.
/// </summary>
internal sealed class BackupPlace
{
    private const string Prefix = "blob:", Extension = ".kpibackup";

    private readonly string? _file;
    private readonly BlockBlobClient? _blob;

    private BackupPlace(string? file, BlockBlobClient? blob) => (_file, _blob) = (file, blob);

    /// <summary>As it is shown and noted; without an address and its signature.</summary>
    public string Name => _file ?? $"{Prefix}{_blob!.BlobContainerName}/{_blob.Name}";

    /// <summary>A place for a new backup; a folder or a container gets a name by the time.</summary>
    public static BackupPlace ForNew(IConfiguration configuration, string place, DateTimeOffset now)
    {
        var name = $"kpi-{now:yyyyMMdd'T'HHmmss'Z'}{Extension}";
        if (!place.StartsWith(Prefix, StringComparison.Ordinal)) return new BackupPlace(Path.GetFullPath(place.EndsWith(Extension, StringComparison.Ordinal) ? place : Path.Combine(place, name)), null);
        return Existing(configuration, place.Contains('/', StringComparison.Ordinal) ? place : $"{place}/{name}");
    }

    /// <summary>The place of a backup that is there.</summary>
    public static BackupPlace Existing(IConfiguration configuration, string place)
    {
        if (!place.StartsWith(Prefix, StringComparison.Ordinal)) return new BackupPlace(Path.GetFullPath(place), null);
        if (place[Prefix.Length..].Split('/', 2) is not [{ Length: > 0 } container, { Length: > 0 } name]) throw new CliException("A blob is named like blob:CONTAINER/NAME.");
        return new BackupPlace(null, Service(configuration).GetBlobContainerClient(container).GetBlockBlobClient(name));
    }

    /// <summary>Writes a backup: it has its name when <paramref name="write"/> is through, and nothing is left when it fails.</summary>
    public async Task<T> WriteAsync<T>(Func<Stream, Task<T>> write, CancellationToken cancellationToken)
    {
        if (_blob is not null)
        {
            await _blob.GetParentBlobContainerClient().CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            if (await _blob.ExistsAsync(cancellationToken)) throw new CliException($"{Name} is there already; a backup overwrites nothing.");
            try
            {
                await using var stream = await _blob.OpenWriteAsync(overwrite: true, new BlockBlobOpenWriteOptions { BufferSize = 4 * 1024 * 1024 }, cancellationToken);
                return await write(stream);
            }
            catch
            {
                // Closing the stream commits what came so far. It would not open, but it should not lie there either.
                await _blob.DeleteIfExistsAsync(cancellationToken: CancellationToken.None);
                throw;
            }
        }

        if (File.Exists(_file)) throw new CliException($"{Name} is there already; a backup overwrites nothing.");
        Directory.CreateDirectory(Path.GetDirectoryName(_file)!);
        var partial = _file + ".partial";
        try
        {
            T result;
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            await using (var stream = new FileStream(partial, options))
            {
                result = await write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(partial, _file!, overwrite: false);
            return result;
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>Opens it for reading from its beginning.</summary>
    public async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return _blob is not null
                ? await _blob.OpenReadAsync(new BlobOpenReadOptions(allowModifications: false) { BufferSize = 4 * 1024 * 1024 }, cancellationToken)
                : new FileStream(_file!, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan });
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or RequestFailedException { Status: 404 })
        {
            throw new CliException($"There is no backup {Name}.");
        }
    }

    private static BlobServiceClient Service(IConfiguration configuration)
    {
        foreach (var section in new[] { "Backup:Storage", "AzureWebJobsStorage" })
        {
            if (configuration[section] is { Length: > 0 } connection) return new BlobServiceClient(connection);
            var account = section.Split(':')[0];
            if (configuration[$"{account}:blobServiceUri"] is { Length: > 0 } address) return new BlobServiceClient(new Uri(address), AzureIdentity.OfConnection(configuration, account));
        }

        throw new CliException("No storage account is named for backups.", "Set Backup__Storage (connection string) or Backup__blobServiceUri (identity), or give a folder.");
    }
}
