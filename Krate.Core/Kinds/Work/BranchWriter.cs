using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Microsoft.Extensions.DependencyInjection;

namespace Krate.Core.Kinds.Work;

/// <summary>Changes branches for people whom the gateway has let: what merges and suggested edits share. Thread-safe.</summary>
internal sealed class BranchWriter(IServiceProvider services, KindCatalog catalog, IResourceCache cache, RepositoryFiles files, IPolicyLog policyLog, TimeProvider time)
{
    /// <exception cref="ApiException">404.</exception>
    public (Resource Repository, GitRepository Git) Open(string ns, string name)
    {
        var repository = cache.Get(catalog["Repository"], ns, name) ?? throw ApiException.NotFound(catalog["Repository"], name);
        return (repository, new GitRepository(files.DirectoryOf(OrgOf(repository), repository.Name)));
    }

    public static string OrgOf(Resource repository) => repository.Label(WellKnown.OrgLabel) ?? "";

    /// <summary>The person as their commits have them.</summary>
    public GitPerson PersonOf(string userName)
    {
        var user = cache.List(catalog["User"], WellKnown.PlatformNamespace).FirstOrDefault(u => (u.Body.Text("spec.username") ?? u.Name) == userName);
        return new(user?.Body.Text("spec.displayName") ?? userName, user?.Body.Text("spec.email") ?? $"{userName}@users.krate.invalid", time.GetUtcNow());
    }

    /// <summary>Asks the rules that a push is asked by, and tells them in the audit.</summary>
    /// <exception cref="ApiException">409 with the rule and its reason.</exception>
    public async Task JudgeAsync(Actor actor, Resource subject, string action, Resource repository, GitRepository git, RefUpdate update, RefChangeSource source, CancellationToken ct)
    {
        var violations = await PushPolicy.JudgeAsync(RefRule.Of(cache, catalog, repository.Namespace, repository.Name), [update], source, repository.Body.Text("spec.defaultBranch") ?? "main", GitRefFacts.Of(git), ct);
        foreach (var v in violations) await policyLog.JudgedAsync(actor, repository, action, allowed: !v.IsEnforced, $"{v.Rule}: {v.Ref}: {v.Message}", ct);
        if (violations.FirstOrDefault(v => v.IsEnforced) is { } refused) throw ApiException.Conflict(subject.Kind, subject.Name, $"{refused.Rule} refuses it: {refused.Message}");
    }

    /// <summary>Moves the branch from exactly where it was, as this person's push, and records it.</summary>
    /// <exception cref="ApiException">409 when it is elsewhere by now.</exception>
    public async Task MoveAsync(Actor actor, Resource subject, string action, Resource repository, GitRepository git, RefUpdate update, CancellationToken ct)
    {
        var who = new GitPerson(actor.User, Ulid.NewUlid().ToString().ToLowerInvariant() + RefLedger.PushMailDomain, time.GetUtcNow());
        if (!await git.TryUpdateRefAsync(update.Ref, update.New, update.Old, $"{action} of {subject.Name}", who, ct))
            throw ApiException.Conflict(subject.Kind, subject.Name, $"{BranchNames.Of(update.Ref)} has moved meanwhile; nothing was changed. Try again.");
        await services.GetRequiredService<RefRecorder>().RecordAsync(OrgOf(repository), repository.Namespace, repository.Name, null, CancellationToken.None);
    }

    /// <summary>Runs work on git and turns what may go wrong there into answers.</summary>
    public static async Task<T> AnswerAsync<T>(Resource subject, string action, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (TimeoutException)
        {
            throw new ApiException(504, "Timeout", $"git took too long over this {action}; nothing was changed. Try again.");
        }
        catch (ArgumentException e)
        {
            throw ApiException.Conflict(subject.Kind, subject.Name, e.Message);
        }
        catch (GitException)
        {
            throw new ApiException(500, "InternalError", $"git could not {action}; nothing was changed. The log of Krate says why.");
        }
    }
}
