using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Resources;

namespace Krate.Core.Repositories;

/// <summary>
/// Reports what has happened to the refs of a repository: one audit event for each update, and the new heads in the Repository's status,
/// in one commit that also turns the page of the ledger. Thread-safe; any number of callers, in any number of processes.
/// </summary>
public sealed class RefRecorder(IResourceGateway gateway, IResourceCache cache, KindCatalog catalog, RepositoryFiles files, TimeProvider time)
{
    private const int MaxAttempts = 20;
    private readonly KindDefinition kind = catalog["Repository"];
    private readonly ConcurrentDictionary<string, SemaphoreSlim> turns = new(StringComparer.Ordinal);

    /// <summary>Reports what is new. Nothing is written when nothing is.</summary>
    /// <param name="pushId">The push that has just ended; its announcement is forgotten.</param>
    /// <returns>How many updates were reported.</returns>
    public async Task<int> RecordAsync(string org, string ns, string name, string? pushId, CancellationToken ct)
    {
        var turn = turns.GetOrAdd($"{ns}/{name}", _ => new SemaphoreSlim(1));
        await turn.WaitAsync(ct);
        try
        {
            var ledger = new RefLedger(new GitRepository(files.DirectoryOf(org, name)));
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    var count = await TryRecordAsync(org, ns, name, ledger, ct);
                    if (pushId is not null) ledger.Forget(pushId);
                    return count;
                }
                catch (ApiException e) when (e.Reason == "Conflict" && attempt < MaxAttempts)
                {
                    // The resource has changed meanwhile: what is to be reported is worked out anew.
                }
            }
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<int> TryRecordAsync(string org, string ns, string name, RefLedger ledger, CancellationToken ct)
    {
        if (cache.Get(kind, ns, name) is not { IsDeleting: false } repository || RepositoryFiles.OwnerOf(files.DirectoryOf(org, name)) != repository.Uid) return 0;
        var page = repository.Body.Text("status.refsPage");
        var known = page is null ? null : await ledger.ReadAsync(page, ct);
        var (updates, next) = await ledger.SinceAsync(known ?? new Dictionary<string, KnownRef>(), ct);
        // Without a page everything there is was there before anybody watched: a fork, an import, a restored backup.
        if (known is null) updates = [];
        var head = next.GetValueOrDefault(RefUpdate.Heads + (repository.Body.Text("spec.defaultBranch") ?? "main"))?.Id;
        if (known is not null && updates.Count == 0 && head == repository.Body.Text("status.head")) return 0;

        var written = await ledger.WriteAsync(next, ct);
        try
        {
            await CommitAsync(repository, updates, head, written, ct);
        }
        catch (ApiException e) when (e.Reason == "Conflict")
        {
            // Not committed for certain. After any other failure the page may be the current one; what is not is swept away later.
            ledger.Remove(written);
            throw;
        }

        if (page is not null) ledger.Remove(page);
        return updates.Count;
    }

    private async Task CommitAsync(Resource repository, IReadOnlyList<RecordedUpdate> updates, string? head, string page, CancellationToken ct)
    {
        var document = repository.Edit();
        var status = document.Child("status");
        status["refsPage"] = page;
        if (head is null) status.Remove("head");
        else status["head"] = head;
        if (updates.Count > 0)
        {
            var last = updates.MaxBy(u => u.PushId, StringComparer.Ordinal)!;
            status["lastPush"] = new JsonObject { ["time"] = Timestamps.Format(time.GetUtcNow()), ["ref"] = last.Update.Ref };
            if (last.User.Length > 0) status["lastPush"]!["by"] = last.User;
        }

        var options = new WriteOptions { Subresource = "status", FieldManager = "krate-git", Records = [.. updates.Select(u => AuditTrail.RefUpdated(UserOf(u), u.PushId, repository, u.Update.Ref, u.Update.Old, u.Update.New))] };
        await gateway.UpdateAsync(PrivilegedAccess.RefRecorder(updates.Count > 0 ? updates[^1].PushId : ""), kind, repository.Namespace, repository.Name, document, options, ct);
    }

    private static string UserOf(RecordedUpdate update) => update.User.Length > 0 ? update.User : "system:krate:git";
}
