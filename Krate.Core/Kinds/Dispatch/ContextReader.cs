using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Krate.Core.Context;
using Krate.Core.Gateway;
using Krate.Core.Git;
using Krate.Core.Kinds.Review;
using Krate.Core.Kinds.Stacks;
using Krate.Core.Kinds.Work;
using Krate.Core.Repositories;
using Krate.Core.Resources;
using Krate.Core.Runs;

namespace Krate.Core.Kinds.Dispatch;

/// <summary>
/// Reads what an agent is given, as the person who starts it: what they may not read is not in it. Sources come in the order of their weight: what
/// failed, what it is about, the rest. Thread-safe.
/// </summary>
public sealed class ContextReader(KindCatalog catalog, IResourceGateway gateway, HostedRepositories repositories, JobLogs logs, PullRequestFacts pulls, WorkTrust trust)
{
    /// <summary>Documents for agents at the root of a repository. They are read as data, and from the target branch: a change may not bring its own.</summary>
    private static readonly string[] AgentsDocs = ["AGENTS.md", "CLAUDE.md", "GEMINI.md"];

    /// <exception cref="ApiException">404 or 403 for what is not there or hidden, 422 that names the field.</exception>
    public async Task<ContextDraft> ReadAsync(Actor actor, string org, Resource stack, ContextRequest request, CancellationToken ct)
    {
        var repository = await repositories.OpenAsync(actor, org, request.Repository, ct);
        var reading = new Reading(actor, stack, request, repository, ct);
        await CommentAsync(reading);
        await RunAsync(reading);
        await PullAsync(reading);
        await IssueAsync(reading);
        await CodeAsync(reading);
        return new(await LayersAsync(reading), reading.Sources, reading.Omissions) { Place = await PlaceAsync(reading), About = reading.About };
    }

    /// <summary>What has been found so far.</summary>
    private sealed record Reading(Actor Actor, Resource Stack, ContextRequest Request, HostedRepository Repository, CancellationToken Ct)
    {
        public List<SourceText> Sources { get; } = [];

        public List<string> Omissions { get; } = [];

        public List<WorkItem> About { get; } = [];

        /// <summary>Labels of the issue and the pull request, with the kind of source that has them.</summary>
        public List<(string Label, string On)> Labels { get; } = [];

        public Resource? Pull { get; set; }

        /// <summary>What the run or the pull request is at; null for the default branch.</summary>
        public string? Commit { get; set; }

        /// <summary>Full name of what <see cref="Commit"/> is the head of.</summary>
        public string? Ref { get; set; }

        /// <summary>Branch that changes go to.</summary>
        public string Target { get; set; } = Repository.DefaultBranch;

        /// <summary>Of files at <see cref="Commit"/>.</summary>
        public string CodeTier { get; set; } = TrustTier.Trusted;

        public void Add(string kind, string name, string tier, string text, string? author = null, string? at = null, string? path = null) =>
            Sources.Add(new() { Kind = kind, Name = name, TrustTier = tier, Text = text, Author = author, Ref = at, Path = path });
    }

    private async Task CommentAsync(Reading r)
    {
        if (r.Request.Comment is not { } name) return;
        var comment = await GetAsync(r, "Comment", name);
        var author = comment.Body.Text("spec.author");
        var target = comment.Body.At("spec.targetRef");
        r.About.Add(new("Comment", comment.Name, comment.Name));
        await InRepositoryAsync(r, target.Text("kind") ?? "", target.Text("name") ?? "", "sourceRefs.comment");
        r.Add(SourceKinds.Comment, comment.Name, trust.TierOf(author, r.Repository.Resource), comment.Body.Text("spec.body") ?? "", author);
    }

    private async Task RunAsync(Reading r)
    {
        var job = r.Request.Job is { } name ? await GetAsync(r, "Job", name) : null;
        var pipelineName = r.Request.Pipeline ?? job?.Body.Text("spec.pipeline");
        if (pipelineName is null) return;
        var pipeline = await InRepositoryAsync(r, "Pipeline", pipelineName, "sourceRefs.pipeline");
        if (job is not null && job.Body.Text("spec.pipeline") != pipeline.Name) throw ContextRequest.Invalid("sourceRefs.job", $"is of pipeline {job.Body.Text("spec.pipeline")}, and not of {pipeline.Name}");
        r.About.Add(new("Pipeline", pipeline.Name, pipeline.Body.Text("spec.workflow") ?? pipeline.Name));
        if (job is not null) r.About.Add(new("Job", job.Name, job.Body.Text("spec.step") ?? job.Name));
        (r.Commit, r.Ref, r.CodeTier) = (pipeline.Body.Text("spec.sha"), BranchNames.Full(pipeline.Body.Text("spec.ref") ?? r.Repository.DefaultBranch), pipeline.Body.Text("spec.trustTier") ?? TrustTier.Untrusted);
        var failed = job is not null ? [job] : await FailedJobsAsync(r, pipeline);
        foreach (var one in failed)
        {
            r.Add(SourceKinds.Job, one.Name, r.CodeTier, await JobWordsAsync(r, one), at: pipeline.Body.Text("spec.sha"));
            if (await logs.OpenAsync(one, r.Ct) is { } log) await LogAsync(r, one, log);
        }

        r.Add(SourceKinds.Pipeline, pipeline.Name, r.CodeTier, Lines(
            ("workflow", pipeline.Body.Text("spec.workflow")), ("phase", pipeline.Body.Text("status.phase")), ("ref", pipeline.Body.Text("spec.ref")), ("failed step", pipeline.Body.Text("status.failedStep")),
            ("first error", pipeline.Body.Text("status.failureSignature"))), pipeline.Body.Text("status.startedBy"), pipeline.Body.Text("spec.sha"));
    }

    private async Task<List<Resource>> FailedJobsAsync(Reading r, Resource pipeline)
    {
        const int Most = 3;
        var jobs = (await gateway.ListAsync(r.Actor, catalog["Job"], pipeline.Namespace, new ListOptions { Fields = Selector.Parse($"spec.pipeline={pipeline.Name},status.phase=failed"), Limit = 50 }, r.Ct)).Items;
        if (jobs.Count > Most) r.Omissions.Add($"{jobs.Count - Most} more failed jobs of pipeline {pipeline.Name} are left out.");
        return [.. jobs.OrderBy(j => j.CreatedAt).ThenBy(j => j.Name, StringComparer.Ordinal).Take(Most)];
    }

    private async Task<string> JobWordsAsync(Reading r, Resource job)
    {
        var similar = "";
        if (job.Label(WellKnown.FailureSignatureLabel) is { Length: > 0 } signature)
        {
            var same = await gateway.ListAsync(r.Actor, catalog["Job"], job.Namespace, new ListOptions { Labels = Selector.Parse($"{WellKnown.FailureSignatureLabel}={signature}"), Limit = 20 }, r.Ct);
            similar = string.Join(", ", same.Items.Where(j => j.Name != job.Name).Select(j => j.Name).Take(5));
        }

        return Lines(
            ("step", job.Body.Text("spec.step")), ("command", job.Body.Text("spec.command")), ("phase", job.Body.Text("status.phase")), ("exit code", job.Body.Whole("status.exitCode")?.ToString(CultureInfo.InvariantCulture)),
            ("first error", job.Body.Text("status.failureSignature")), ("failed alike", similar));
    }

    /// <summary>Its beginning, what is around the first error, and its end.</summary>
    private static async Task LogAsync(Reading r, Resource job, JobLog log)
    {
        const int Begin = 20, Before = 150, After = 300, End = 80;
        var error = job.Body.Whole("status.failureLine") - 1 ?? (await log.FindFailureAsync(r.Ct))?.Line - 1 ?? log.LineCount;
        var text = new StringBuilder();
        var next = 0L;
        foreach (var (first, end) in new[] { (0, Begin), (error - Before, error + After), (log.LineCount - End, log.LineCount) })
        {
            var (from, to) = (Math.Clamp(first, next, Math.Max(next, log.LineCount)), Math.Min(end, log.LineCount));
            if (to <= from) continue;
            if (from > next) text.Append(CultureInfo.InvariantCulture, $"[lines {next + 1} to {from} are left out]\n");
            foreach (var line in await log.ReadLinesAsync(from, (int)(to - from), r.Ct))
                text.Append(FailureSignature.WithoutEscapes(line.Text)).Append(line.CutBytes > 0 ? string.Create(CultureInfo.InvariantCulture, $" [{line.CutBytes} bytes more]") : "").Append('\n');
            next = to;
        }

        if (text.Length > 0) r.Add(SourceKinds.JobLog, job.Name, r.CodeTier, text.ToString());
    }

    private async Task PullAsync(Reading r)
    {
        if (r.Request.PullRequest is not { } reference) return;
        var pull = r.Pull = await WorkNumbers.FindAsync(gateway, r.Actor, catalog["PullRequest"], r.Repository.Resource, reference, r.Ct);
        r.About.Add(Numbered(pull));
        var (author, tier) = (pull.Body.Text("spec.author"), trust.TierOf(pull, r.Repository.Resource));
        var (head, target) = await pulls.HeadsAsync(pull, r.Repository.Org, r.Repository.Git, r.Ct);
        head = pull.Body.Text("status.headSha") is { Length: > 0 } merged && pull.Body.Text("status.phase") != WorkPhases.Open ? merged : head;
        r.Labels.AddRange(pull.Body.Texts("spec.labels").Select(l => (l, SourceKinds.PullRequest)));
        if (r.Commit is null) (r.Commit, r.Ref, r.CodeTier) = (head, $"refs/pull/{pull.Body.Whole("spec.number")}/head", tier);
        r.Target = BranchNames.Of(pull.Body.Text("spec.targetRef") ?? r.Target);
        var checks = head is null ? [] : await pulls.ChecksAsync(gateway, r.Actor, pull, head, r.Ct);
        r.Add(SourceKinds.PullRequest, pull.Name, trust.TierOf(author, r.Repository.Resource), Lines(
            ("number", pull.Body.Whole("spec.number")?.ToString(CultureInfo.InvariantCulture)), ("title", pull.Body.Text("spec.title")), ("state", pull.Body.Text("status.phase")),
            ("from", $"{PullRequestFacts.SourceOf(pull)} {pull.Body.Text("spec.sourceRef")}"), ("to", pull.Body.Text("spec.targetRef")), ("labels", string.Join(", ", pull.Body.Texts("spec.labels"))),
            ("checks", string.Join(", ", checks.Select(c => $"{c.Text("name")}: {c.Text("phase")}")))) + Body(pull), author, head);
        if (head is not null && target is not null) await DiffAsync(r, pull, target, head, tier);
        await RemarksAsync(r, pull);
    }

    private static WorkItem Numbered(Resource item) => new(item.Kind.Kind, item.Name, string.Create(CultureInfo.InvariantCulture, $"#{item.Body.Whole("spec.number")} {item.Body.Text("spec.title")}"));

    /// <summary>First the names of all files, which no cut takes; then their hunks.</summary>
    private static async Task DiffAsync(Reading r, Resource pull, string target, string head, string tier)
    {
        const int Most = 200;
        var git = r.Repository.Git;
        if (await git.MergeBaseAsync(target, head, r.Ct) is not { } from) return;
        var summary = await git.DiffAsync(from, head, r.Ct);
        var text = new StringBuilder();
        foreach (var file in summary.Files) text.Append(CultureInfo.InvariantCulture, $"{file.Status} {Visible.Quoted(file.Path)} +{file.Added ?? 0} -{file.Removed ?? 0}\n");
        if (summary.IsCut) r.Omissions.Add($"The diff of {pull.Name} has more files than are listed.");
        if (summary.Files.Count > Most) r.Omissions.Add($"The diff of {pull.Name} shows lines of its first {Most} files.");
        var files = summary.Files.Take(Most).ToList();
        var hunks = await git.DiffFilesAsync(from, head, files, ignoreSpace: false, r.Ct);
        foreach (var file in files)
        {
            if (hunks.GetValueOrDefault(file.Path) is not { } all) r.Omissions.Add($"{pull.Name}: the lines of {Visible.Quoted(file.Path)} are left out, it is too large.");
            else if (all.Count > 0) AppendHunks(text.Append('\n').Append("file: ").Append(Visible.Quoted(file.Path)).Append('\n'), all);
        }

        r.Add(SourceKinds.Diff, pull.Name, tier, text.ToString(), pull.Body.Text("spec.author"), $"{from}..{head}");
    }

    private static void AppendHunks(StringBuilder text, IReadOnlyList<DiffHunk> hunks)
    {
        foreach (var hunk in hunks)
        {
            text.Append(CultureInfo.InvariantCulture, $"@@ -{hunk.OldStart},{hunk.OldCount} +{hunk.NewStart},{hunk.NewCount} @@ {hunk.Heading}\n");
            foreach (var line in hunk.Lines) text.Append(line.Kind switch { DiffLineKind.Added => '+', DiffLineKind.Removed => '-', _ => ' ' }).Append(line.Text).Append('\n');
        }
    }

    private async Task IssueAsync(Reading r)
    {
        if (r.Request.Issue is not { } reference) return;
        var issue = await WorkNumbers.FindAsync(gateway, r.Actor, catalog["Issue"], r.Repository.Resource, reference, r.Ct);
        r.About.Add(Numbered(issue));
        var author = issue.Body.Text("spec.author");
        r.Labels.AddRange(issue.Body.Texts("spec.labels").Select(l => (l, SourceKinds.Issue)));
        r.Add(SourceKinds.Issue, issue.Name, trust.TierOf(author, r.Repository.Resource), Lines(
            ("number", issue.Body.Whole("spec.number")?.ToString(CultureInfo.InvariantCulture)), ("title", issue.Body.Text("spec.title")), ("state", issue.Body.Text("status.phase")),
            ("labels", string.Join(", ", issue.Body.Texts("spec.labels")))) + Body(issue), author);
        await RemarksAsync(r, issue);
    }

    /// <summary>Comments and reviews of people who may push, in their order; anybody may write one, so that the others are left out (spec 10).</summary>
    private async Task RemarksAsync(Reading r, Resource on)
    {
        const int Most = 200;
        var comments = await gateway.ListAsync(r.Actor, catalog["Comment"], on.Namespace, new ListOptions { Fields = Selector.Parse($"spec.targetRef.kind={on.Kind.Kind},spec.targetRef.name={on.Name}"), Limit = Most }, r.Ct);
        var reviews = on.Kind.Kind == "PullRequest" ? (await gateway.ListAsync(r.Actor, catalog["Review"], on.Namespace, new ListOptions { Fields = Selector.Parse($"spec.pullRequest={on.Name}"), Limit = Most }, r.Ct)).Items : [];
        var strangers = 0;
        foreach (var remark in comments.Items.Concat(reviews).Where(c => c.Name != r.Request.Comment && !string.IsNullOrWhiteSpace(c.Body.Text("spec.body"))).OrderBy(c => c.CreatedAt).ThenBy(c => c.Name, StringComparer.Ordinal))
        {
            var author = remark.Body.Text("spec.author");
            if (!trust.MayPush(author, r.Repository.Resource))
            {
                strangers++;
                continue;
            }

            var isReview = remark.Kind.Kind == "Review";
            var place = Lines(("verdict", remark.Body.Text("spec.decision")), ("line", remark.Body.Whole("spec.line")?.ToString(CultureInfo.InvariantCulture)));
            r.Add(isReview ? SourceKinds.Review : SourceKinds.Comment, remark.Name, TrustTier.Trusted, place + remark.Body.Text("spec.body"), author, remark.Body.Text("spec.commit"), remark.Body.Text("spec.path"));
        }

        if (strangers > 0) r.Omissions.Add($"{strangers} {(strangers == 1 ? "comment" : "comments")} on {on.Name} by people who may not push {(strangers == 1 ? "is" : "are")} left out.");
        if (comments.Continue is not null) r.Omissions.Add($"Comments on {on.Name} after the {Most}th are left out.");
    }

    private async Task CodeAsync(Reading r)
    {
        if (!r.Repository.IsHosted) return;
        var git = r.Repository.Git;
        if (await git.FindRefAsync(RefUpdate.Heads + r.Target, r.Ct) is { } target)
        {
            var docs = AgentsDocs.Append(r.Stack.Body.Text("spec.agentsDocRef.source") is "" or null or "repository" ? r.Stack.Body.Text("spec.agentsDocRef.path")?.Trim('/') : null);
            foreach (var path in docs.Where(d => d is { Length: > 0 }).Distinct(StringComparer.Ordinal))
                if (await git.FindEntryAsync(target, path!, r.Ct) is { Kind: TreeEntryKind.File or TreeEntryKind.Executable } entry) await FileAsync(r, SourceKinds.AgentsDoc, target, path!, entry, TrustTier.Trusted);
        }

        if (r.Request.Paths.Count == 0) return;
        var commit = await CommitAsync(r);
        foreach (var path in r.Request.Paths) await PathAsync(r, commit, path);
    }

    /// <summary>Where the work is: what the request names, what the run or the pull request is at, or the head of the default branch.</summary>
    /// <exception cref="ApiException">422: it names what is not there.</exception>
    private static async Task<WorkPlace?> PlaceAsync(Reading r)
    {
        if (!r.Repository.IsHosted) return null;
        var (git, main) = (r.Repository.Git, BranchNames.Full(r.Repository.DefaultBranch));
        var (name, commit) = r.Request.Ref is { } given ? await FindNamedAsync(r, given) ?? throw ContextRequest.Invalid("ref", $"is no branch or tag of {r.Repository.Name}, and no commit of {r.Repository.DefaultBranch}")
            : r.Commit is { } at ? (r.Ref ?? main, await git.FindCommitAsync(at, r.Ct)) : (main, await git.FindRefAsync(main, r.Ct));
        if (commit is null || r.Request.Sha is not { } sha || sha == commit) return commit is null ? null : new(name, commit, r.Target);
        // How far it is trusted follows from the ref: a commit that is not of it may be anybody's.
        var older = await git.FindCommitAsync(sha, r.Ct);
        return older is not null && await git.MergeBaseAsync(older, commit, r.Ct) == older ? new(name, older, r.Target) : throw ContextRequest.Invalid("sha", $"is no commit of {name}");
    }

    /// <summary>A branch, a tag, or a commit of the default branch: one of elsewhere may be anybody's, and is named by its ref.</summary>
    private static async Task<(string Ref, string? Commit)?> FindNamedAsync(Reading r, string name)
    {
        var (git, main) = (r.Repository.Git, BranchNames.Full(r.Repository.DefaultBranch));
        foreach (var full in new[] { BranchNames.Full(name), "refs/tags/" + name })
            if (await git.FindRefAsync(full, r.Ct) is not null) return (full, await git.FindCommitAsync(full, r.Ct));
        return await git.FindCommitAsync(name, r.Ct) is { } commit && await git.FindRefAsync(main, r.Ct) is { } head && await git.MergeBaseAsync(commit, head, r.Ct) == commit ? (main, commit) : null;
    }

    private async Task<string> CommitAsync(Reading r)
    {
        if (r.Request.Ref is { } named) r.CodeTier = await trust.TierOfRefAsync(r.Actor, r.Actor, r.Repository.Resource, named, r.Ct);
        return (await PlaceAsync(r))?.Commit ?? throw ContextRequest.Invalid("paths", $"name files, and {r.Repository.Name} has no commit yet");
    }

    private static async Task PathAsync(Reading r, string commit, string path)
    {
        var git = r.Repository.Git;
        var entry = await git.FindEntryAsync(commit, path, r.Ct) ?? throw ContextRequest.Invalid("paths", $"names {path}, which is not in commit {commit[..12]}");
        if (entry.IsFolder)
        {
            var listing = await git.ListFolderAsync(commit, path, r.Ct);
            r.Add(SourceKinds.Folder, r.Repository.Name, r.CodeTier, string.Join('\n', listing!.Entries.Select(e => Visible.Quoted(e.Name + (e.IsFolder ? "/" : "")))), at: commit, path: path);
        }
        else if (entry.Kind is TreeEntryKind.File or TreeEntryKind.Executable)
        {
            await FileAsync(r, SourceKinds.Code, commit, path, entry, r.CodeTier);
        }
        else
        {
            r.Omissions.Add($"{path} is a link or a submodule, and is left out.");
        }
    }

    private static async Task FileAsync(Reading r, string kind, string commit, string path, TreeEntry entry, string tier)
    {
        const int Most = 512 << 10;
        var bytes = await r.Repository.Git.ReadBlobStartAsync(entry.Id, Most, r.Ct);
        if (BlobText.Read(bytes) is not { } text) r.Omissions.Add($"{path} is no text, and is left out.");
        else r.Add(kind, r.Repository.Name, tier, text.Text, at: commit, path: path);
    }

    private async Task<IReadOnlyList<PromptLayer>> LayersAsync(Reading r)
    {
        var layers = new List<PromptLayer> { new(LayerNames.StackSystem, r.Stack.Body.Text("spec.prompt.system") ?? ""), new(LayerNames.StackDeveloper, r.Stack.Body.Text("spec.prompt.developer") ?? "") };
        foreach (var name in r.Stack.Body.Texts("spec.skillRefs").Distinct(StringComparer.Ordinal)) layers.Add(new($"{LayerNames.Skill}: {name}", await SkillAsync(r, await GetAsync(r, "AgentSkill", name))));
        foreach (var label in await ContextLabelsAsync(r)) layers.Add(new($"{LayerNames.ContextLabel}: {label.Name}", label.Body.Text("spec.promptFragment") ?? ""));
        layers.Add(new(LayerNames.UserTask, r.Request.Task));
        return layers;
    }

    /// <summary>The text of a skill at the commit that was looked through. Who may not read its repository cannot start an agent with it.</summary>
    private async Task<string> SkillAsync(Reading r, Resource skill)
    {
        var own = skill.Body.Text("spec.promptFragment") ?? "";
        if (skill.Body.Text("spec.format") is not ("file" or "directory") || skill.Body.Text("status.resolvedCommit") is not { Length: > 0 } commit) return own;
        var source = await repositories.OpenAsync(r.Actor, r.Repository.Org, skill.Body.Text("spec.sourceRef.repository") ?? "", r.Ct);
        var files = await SkillFiles.ReadAsync(source.Git, commit, skill.Body.Text("spec.sourceRef.path") ?? "", skill.Body.Text("spec.format") == "directory", r.Ct);
        if (files.Digest != skill.Body.Text("status.digest")) throw ContextRequest.Invalid($"{LayerNames.Skill}: {skill.Name}", "is not what was looked through; wait until it is ready again");
        var text = files.Texts.FirstOrDefault(t => t.Path == SkillFiles.Manifest || files.Texts.Count == 1).Text ?? "";
        return own.Length == 0 ? text : $"{own}\n\n{text}";
    }

    /// <summary>Those of the stack, and those that the labels of the issue or pull request bring; unreviewed ones only where no review is asked for.</summary>
    private async Task<IReadOnlyList<Resource>> ContextLabelsAsync(Reading r)
    {
        var found = new List<Resource>();
        foreach (var name in r.Stack.Body.Texts("spec.contextLabelRefs").Distinct(StringComparer.Ordinal)) found.Add(await GetAsync(r, "AgentContextLabel", name));
        var known = r.Labels.Count == 0 ? [] : (await gateway.ListAsync(r.Actor, catalog["AgentContextLabel"], r.Stack.Namespace, new ListOptions { Limit = 500 }, r.Ct)).Items;
        found.AddRange(known.Where(k => r.Labels.Any(l => l.Label == k.Name && k.Body.Texts("spec.allowedSources").Contains(l.On, StringComparer.Ordinal))));
        return [.. found.DistinctBy(l => l.Name).Where(Counts)];

        bool Counts(Resource label)
        {
            var stacks = label.Body.Texts("spec.allowedStacks").ToList();
            var isReviewed = !label.Body.Flag("spec.requiresReview") || (label.Body.Text("status.phase") == ContextLabelPhase.Reviewed && label.Body.Text("status.digest") == AgentContextLabelReconciler.DigestOf(label));
            if (!isReviewed) r.Omissions.Add($"Context label {label.Name} is left out: nobody has reviewed its text.");
            return isReviewed && (stacks.Count == 0 || stacks.Contains(r.Stack.Name, StringComparer.Ordinal));
        }
    }

    private Task<Resource> GetAsync(Reading r, string kind, string name) => gateway.GetAsync(r.Actor, catalog[kind], r.Stack.Namespace, name, r.Ct);

    private async Task<Resource> InRepositoryAsync(Reading r, string kind, string name, string field)
    {
        if (catalog.Find(kind) is not { } known) throw ContextRequest.Invalid(field, $"is about {kind}, which an agent is not given");
        var found = await gateway.GetAsync(r.Actor, known, r.Stack.Namespace, name, r.Ct);
        return found.Body.Text("spec.repository") == r.Repository.Name ? found : throw ContextRequest.Invalid(field, $"is not of repository {r.Repository.Name}");
    }

    private static string Body(Resource work) => work.Body.Text("spec.body") is { Length: > 0 } body ? "\n" + body : "";

    private static string Lines(params (string Name, string? Value)[] fields) =>
        string.Concat(fields.Where(f => !string.IsNullOrWhiteSpace(f.Value)).Select(f => $"{f.Name}: {f.Value!.ReplaceLineEndings(" ")}\n"));
}
