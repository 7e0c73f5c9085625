using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Blobs;
using Krate.Core.Context;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Core.Workspaces;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>An empty folder for what an agent leaves; it goes when this does.</summary>
internal sealed class ArtifactFolder(string path) : IDisposable
{
    public string Path { get; } = path;

    public void Dispose()
    {
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
    }
}

/// <summary>Takes in what an attempt has left: its files, and what it changed in its workspace. Kept by digest, without secrets. Thread-safe.</summary>
internal sealed class AttemptArtifacts(KindCatalog catalog, IServiceProvider services, BlobStore blobs, DataDirectory data)
{
    private const int MostFiles = 16, LargestFile = 8 << 20;

    public ArtifactFolder Begin(Resource attempt)
    {
        Forget(attempt);
        Directory.CreateDirectory(PathOf(attempt), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new(PathOf(attempt));
    }

    /// <summary>Takes away what a process has left that is no more.</summary>
    public void Forget(Resource attempt) => new ArtifactFolder(PathOf(attempt)).Dispose();

    private string PathOf(Resource attempt) => Path.Combine(data.Path, "workspaces", ".artifacts", attempt.Uid);

    /// <param name="workspace">Null when it could change nothing.</param>
    public async Task<IReadOnlyList<Resource>> TakeInAsync(Actor krate, Resource run, Resource attempt, ArtifactFolder left, (GitRepository Hosted, string Folder)? workspace, Redactor redactor, CancellationToken ct)
    {
        var made = new List<Resource>();
        foreach (var file in new DirectoryInfo(left.Path).EnumerateFiles().Where(f => f.LinkTarget is null && !f.Name.StartsWith('.')).OrderBy(f => f.Name, StringComparer.Ordinal).Take(MostFiles))
        {
            var (kind, media) = KindOf(file.Name);
            if (kind is not null && await ForeignFile.ReadAsync(file.FullName, LargestFile, ct) is { } bytes) made.Add(await KeepAsync(krate, run, attempt, kind, media, bytes, redactor, null, ct));
        }

        if (workspace is not { } at) return made;
        var patch = await PatchReader.ReadAsync(at.Hosted, at.Folder, run.Body.Text("spec.sha") ?? "", ct);
        if (patch.IsEmpty) return made;
        made.Add(await KeepAsync(krate, run, attempt, "patch", "text/x-diff", patch.Diff, null, Described(patch, redactor), ct));
        return made;
    }

    /// <summary>By their names; what nobody asked for is left.</summary>
    private static (string? Kind, string Media) KindOf(string name) => name switch
    {
        "diagnosis.md" => ("diagnosis", "text/markdown"),
        "diagnosis.json" => ("diagnosis", "application/json"),
        _ when name.EndsWith(".log", StringComparison.Ordinal) => ("log", "text/plain"),
        _ when name.StartsWith("test-report", StringComparison.Ordinal) => ("test-report", name.EndsWith(".xml", StringComparison.Ordinal) ? "application/xml" : "text/plain"),
        _ => (null, ""),
    };

    private static JsonObject Described(WorkspacePatch patch, Redactor redactor)
    {
        var hasSecret = redactor.Redact(Encoding.UTF8.GetString(patch.Diff)).Counts.Count > 0;
        var said = new JsonObject
        {
            ["baseSha"] = patch.Base, ["files"] = new JsonArray([.. patch.Files.Take(500).Select(f => (JsonNode)redactor.Redact(f.Path).Text)]), ["applyStrategy"] = patch.IsComplete ? "exact" : "incomplete",
            ["warnings"] = new JsonArray([.. patch.Warnings.Take(50).Select(w => (JsonNode)redactor.Redact(w).Text)]),
        };
        if (hasSecret) said["suspectedSecrets"] = true;
        return said;
    }

    /// <param name="redactor">Null for what must stay as it is: a patch that holds a secret is marked, not changed.</param>
    private async Task<Resource> KeepAsync(Actor krate, Resource run, Resource attempt, string kind, string media, byte[] bytes, Redactor? redactor, JsonObject? patch, CancellationToken ct)
    {
        var status = "clean";
        if (redactor is not null)
        {
            var (text, counts) = redactor.Redact(Encoding.UTF8.GetString(bytes));
            if (counts.Count > 0) (bytes, status) = (Encoding.UTF8.GetBytes(text), "redacted");
        }
        else if (patch?.Flag("suspectedSecrets") == true)
        {
            (bytes, status) = ([], "blocked");
        }

        patch?.Remove("suspectedSecrets");
        var digest = await blobs.PutAsync(bytes, ct);
        var spec = new JsonObject
        {
            ["dispatchRun"] = run.Name, ["attempt"] = attempt.Name, ["producer"] = patch is null ? "agent" : "krate", ["kind"] = kind, ["digest"] = digest, ["size"] = bytes.Length, ["mediaType"] = media, ["blobRef"] = digest,
            ["contextDigest"] = attempt.Body.Text("spec.contextBundleDigest"), ["permissionSnapshotDigest"] = attempt.Body.Text("spec.permissionSnapshotDigest"), ["redactionStatus"] = status,
        };
        if (patch is not null) spec["patch"] = patch;
        var gateway = (IResourceGateway)services.GetService(typeof(IResourceGateway))!;
        return await gateway.CreateAsync(krate, catalog["AgentArtifact"], run.Namespace, new JsonObject { ["metadata"] = new JsonObject { ["ownerReferences"] = new JsonArray(OwnerReference.To(run)) }, ["spec"] = spec }, new WriteOptions(), ct);
    }
}
