using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Repositories;
using Krate.Core.Resources;

namespace Krate.Core.Kinds.Demo;

/// <summary>Gives the demo repository its history: a <c>git fast-import</c> stream, so that all of it is real and the ids are the same everywhere.</summary>
public sealed class DemoRepository(RepositoryFiles files, RefRecorder recorder)
{
    public const string Name = "payments-api";

    private static readonly KindDefinition Kind = KindTable.Catalog["Repository"];

    internal GitRepository Git => new(files.DirectoryOf(DemoData.Organization, Name));

    /// <summary>Waits until the reconciler has made the git directory. A repository in which there is something already stays as it is.</summary>
    internal async Task FillAsync(IResourceGateway gateway, Actor actor, CancellationToken ct)
    {
        var ns = WellKnown.OrgNamespace(DemoData.Organization);
        await WaitForHostingAsync(gateway, actor, ns, ct);
        var git = Git;
        if ((await git.RunOrThrowAsync(["for-each-ref", "--count=1"], ct)).Bytes.Length > 0) return;
        var output = await git.RunAsync(["fast-import", "--quiet", "--done"], ct, input: History());
        if (output.ExitCode != 0) throw output.ToException("fast-import");
        await recorder.RecordAsync(DemoData.Organization, ns, Name, null, ct);
    }

    private static async Task WaitForHostingAsync(IResourceGateway gateway, Actor actor, string ns, CancellationToken ct)
    {
        var watch = new WatchOptions { Fields = Selector.Everything.And(new SelectorTerm("metadata.name", SelectorOperator.In, [Name])) };
        await foreach (var e in gateway.WatchAsync(actor, Kind, ns, watch, ct))
            if (e.Resource?.FindCondition("HostingReady")?.Status == Condition.True) return;
    }

    private static byte[] History()
    {
        using var stream = typeof(DemoRepository).Assembly.GetManifestResourceStream(typeof(DemoRepository), "payments-api.fast-import")!;
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }
}
