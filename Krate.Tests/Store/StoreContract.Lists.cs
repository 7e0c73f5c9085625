using System.Text.Json.Nodes;
using Krate.Core.Resources;
using Krate.Core.Store;
using Krate.Core.Store.Lists;
using Krate.Core.Store.Sql;
using Xunit;

namespace Krate.Tests.Store;

public abstract partial class StoreContract
{
    private static readonly string[] LabelSelectors =
    [
        "", "app=web", "app==web", "app!=web", "app in (web,api)", "app notin (web)", "app", "!app", "app=web,tier=front", "app in (web,api),tier!=back",
        "tier,!app", "app=none", "app=web,app=api", "app in (web),tier in (front,back)", "krate.a5c.ai/org=acme,app=api", "empty=", "!tier,!app,!empty",
    ];

    private static readonly string[] FieldSelectors =
    [
        "", "status.phase=Ready", "status.phase!=Ready", "spec.repository=app", "spec.number=7", "metadata.name=r3", "metadata.name!=r3",
        "metadata.namespace=krate-org-beta", "metadata.namespace=krate-org-acme,status.phase in (Ready,Failed)", "spec.repository", "!spec.repository",
        "spec.tags=bug", "spec.tags!=bug", "spec.tags in (bug,odd)", "spec.tags notin (bug,odd)", "spec.tags", "!spec.tags", "spec.tags=bug,spec.tags=odd", "spec.tags=none",
        "spec.tags=bug,status.phase=Ready", "spec.tags!=bug,spec.tags",
    ];

    [Fact]
    public async Task The_index_answers_every_selector_as_a_scan_would()
    {
        var all = new List<Resource>();
        for (var i = 0; i < 48; i++) all.Add(await CommitAsync(Sample(i)));
        // Labels and fields move with updates and go with deletes.
        for (var i = 0; i < 48; i += 5) all[i] = await UpdateAsync(all[i], b => Relabel(b, i));
        foreach (var gone in all.Where((_, i) => i % 11 == 0).ToList())
        {
            await CommitAsync(Deleting(gone));
            all.Remove(gone);
        }

        string[]?[] narrowings = [null, ["app"], ["app", "lib"], []];
        foreach (var (labels, fields, ns) in from l in LabelSelectors from f in FieldSelectors from n in new[] { null, Ns } select (l, f, n))
        {
            foreach (var repositories in labels.Length == 0 || fields.Length == 0 ? narrowings : [null])
            {
                var query = new ListQuery(Stack, ns, Selector.Parse(labels), Selector.Parse(fields)) { Repositories = repositories };
                var wanted = all.Where(r => (ns is null || r.Namespace == ns) && IndexedValues.Matches(r, query.Labels, query.Fields)
                    && (repositories is null || r.Label(WellKnown.RepositoryLabel) is not { } repo || repositories.Contains(repo)));
                AssertPage($"{labels} | {fields} | {ns}", wanted, (await Store.ListAsync(query, Ct)).Items);
                Assert.Equal(wanted.Count(), await Store.CountAsync(query, Ct));
            }
        }

        string[] names = ["r3", "r4", "missing"];
        AssertPage("names", all.Where(r => names.Contains(r.Name)), (await Store.ListAsync(new ListQuery(Stack) { Names = names }, Ct)).Items);
        Assert.Equal(400, (await RefusedAsync(() => NamesAsync(fields: "spec.text=x"))).Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words, a comma = a sign")]
    [InlineData("nul \0 inside")]
    public async Task A_list_has_whatever_text_was_put_into_it_and_no_other(string text)
    {
        await CreateAsync("has", spec: new JsonObject { ["tags"] = new JsonArray(text, text + new string('x', 10_000)) });
        await CreateAsync("longer", spec: new JsonObject { ["tags"] = new JsonArray(text + "x") });
        async Task<IEnumerable<string>> WithAsync(string tag) =>
            (await Store.ListAsync(new ListQuery(Stack, Ns, Selector.Everything, new Selector([new("spec.tags", SelectorOperator.In, [tag])])), Ct)).Items.Select(r => r.Name);

        Assert.Equal(["has"], await WithAsync(text));
        Assert.Equal(["has"], await WithAsync(text + new string('x', 10_000)));
        Assert.Equal(["longer"], await WithAsync(text + "x"));
    }

    [Theory]
    [InlineData("nul \0 inside")]
    [InlineData("broken surrogate \ud83d")]
    [InlineData("")]
    public async Task Any_text_in_a_selectable_field_can_be_stored_and_found(string text)
    {
        var longText = text + new string('x', 10_000);
        await CreateAsync("odd", spec: new JsonObject { ["repository"] = text });
        await CreateAsync("long", spec: new JsonObject { ["repository"] = longText });
        var query = new ListQuery(Stack, Ns, Selector.Everything, new Selector([new("spec.repository", SelectorOperator.In, [text.Replace('\ud83d', '\ufffd')])]));

        Assert.Single((await Store.ListAsync(query with { Fields = new Selector([new("spec.repository", SelectorOperator.In, [longText])]) }, Ct)).Items);
        if (!text.Contains('\ud83d', StringComparison.Ordinal)) Assert.Equal("odd", Assert.Single((await Store.ListAsync(query, Ct)).Items).Name);
    }

    [Fact]
    public async Task Order_is_by_bytes_whatever_the_locale()
    {
        foreach (var name in new[] { "a-b", "a", "ab", "a.b", "a0", "b", "A" }) await CreateAsync(name);
        Assert.Equal(["A", "a", "a-b", "a.b", "a0", "ab", "b"], await NamesAsync());
    }

    [Fact]
    public async Task Pages_of_a_list_show_one_version_whatever_is_written_between_them()
    {
        for (var seed = 1; seed <= 10; seed++) await PageUnderWritesAsync(new Random(seed), $"ns{seed}");
    }

    [Fact]
    public async Task A_continue_token_is_refused_when_it_is_none_or_too_old()
    {
        Assert.Equal(400, (await RefusedAsync(() => Store.ListAsync(new ListQuery(Stack) { Continue = "rubbish!" }, Ct))).Code);
        for (var i = 0; i < 4; i++) await CreateAsync($"r{i}");
        var small = await ReopenAsync(Options with { ChangesKept = 2, ChangeRetention = TimeSpan.FromMinutes(5) });
        var page = await small.ListAsync(new ListQuery(Stack, Ns) { Limit = 2 }, Ct);
        Assert.Equal(2, page.Remaining);

        await CreateAsync("r4");
        await small.CompactAsync(Ct);
        Assert.Equal(["r2", "r3"], (await small.ListAsync(new ListQuery(Stack, Ns) { Limit = 2, Continue = page.Continue }, Ct)).Items.Select(r => r.Name));
        for (var i = 0; i < 4; i++) await CreateAsync($"s{i}");
        Time.Advance(TimeSpan.FromMinutes(6));
        await small.CompactAsync(Ct);
        Assert.Equal(410, (await RefusedAsync(() => small.ListAsync(new ListQuery(Stack, Ns) { Limit = 2, Continue = page.Continue }, Ct))).Code);
    }

    [Fact]
    public async Task A_label_page_is_read_off_the_index_in_order()
    {
        await Task.WhenAll(Enumerable.Range(0, 3000).Select(i => CreateAsync($"r{i:d4}", i % 3 == 0 ? Ns : $"other{i % 7}", labels: [("app", $"a{i % 10}"), ("krate.a5c.ai/org", "acme")])));
        foreach (var query in new[]
        {
            new ListQuery(Stack, Ns, Selector.Parse("krate.a5c.ai/org=acme,app=a3"), Selector.Everything),
            new ListQuery(Stack, null, Selector.Parse("app=a3"), Selector.Everything),
            new ListQuery(Stack, Ns),
        })
        {
            var select = new ListFilter(query, Store.Database).Page(new ContinueToken(1, Ns, "r0100"), 50);
            var plan = await ExplainAsync(select);
            Assert.Contains(query.Labels.IsEmpty ? IndexOfKeys : "resource_labels_by_value", plan, StringComparison.OrdinalIgnoreCase);
            Assert.All(SignsOfAScan, sign => Assert.DoesNotContain(sign, plan, StringComparison.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public async Task Another_set_of_selectable_fields_builds_the_index_anew()
    {
        await CreateAsync("one", spec: new JsonObject { ["repository"] = "app", ["model"] = "m1" });
        var wider = new KindDefinition { Kind = "AgentStack", Plural = "agentstacks", Group = WellKnown.ApiGroup, Version = WellKnown.ApiVersion, Scope = KindScope.Org, Description = "", SelectableFields = ["spec.model"] };
        var index = new FieldIndex(Store.Database, new KindCatalog([wider]));
        await index.RefreshAsync(Ct);
        await index.RefreshAsync(Ct);

        Assert.Equal("one", Assert.Single((await Store.ListAsync(new ListQuery(wider, Ns, Selector.Everything, Selector.Parse("spec.model=m1")), Ct)).Items).Name);
        Assert.Empty(await NamesAsync(fields: "spec.repository=app"));
    }

    /// <summary>The database's plan for a <see cref="Statement"/>.</summary>
    protected abstract Task<string> ExplainAsync(object select);

    protected abstract string IndexOfKeys { get; }

    /// <summary>Words of a plan that reads or sorts more than the page.</summary>
    protected abstract IReadOnlyList<string> SignsOfAScan { get; }

    private static void AssertPage(string what, IEnumerable<Resource> wanted, IReadOnlyList<Resource> got) => Assert.Equal(
        $"{what}: " + string.Join(' ', wanted.OrderBy(r => r.Namespace, StringComparer.Ordinal).ThenBy(r => r.Name, StringComparer.Ordinal)),
        $"{what}: " + string.Join(' ', got));

    private static CreateWrite Sample(int i)
    {
        var write = Creating($"r{i}", i % 3 == 0 ? "krate-org-beta" : Ns);
        Relabel(write.Body, i * 7);
        return write;
    }

    private static void Relabel(JsonObject body, int i)
    {
        var labels = new JsonObject { ["krate.a5c.ai/org"] = i % 2 == 0 ? "acme" : "beta" };
        if (i % 4 != 0) labels["app"] = i % 4 == 1 ? "web" : "api";
        if (i % 3 != 0) labels["tier"] = i % 3 == 1 ? "front" : "back";
        if (i % 5 == 0) labels["empty"] = "";
        if (i % 7 < 4) labels[WellKnown.RepositoryLabel] = i % 7 < 2 ? "app" : "other";
        body.Child("metadata")["labels"] = labels;
        body["spec"] = i % 4 == 0 ? [] : new JsonObject { ["repository"] = i % 4 == 1 ? "app" : "lib", ["number"] = i % 9 };
        if (i % 6 != 0) body.Set("spec.tags", i % 6 == 1 ? [] : i % 6 == 2 ? new JsonArray("bug", "odd", "bug") : new JsonArray(i % 6 == 3 ? "bug" : "odd"));
        body["status"] = i % 5 == 0 ? [] : new JsonObject { ["phase"] = i % 5 == 1 ? "Ready" : "Failed" };
    }

    /// <summary>Walks a list while every kind of write happens behind, at and before the reader's place.</summary>
    private async Task PageUnderWritesAsync(Random random, string ns)
    {
        var live = new Dictionary<string, Resource>();
        for (var i = 0; i < 40; i++) await WriteSomethingAsync(random, ns, live);
        var query = new ListQuery(Stack, random.Next(2) == 0 ? ns : null, Selector.Parse(random.Next(3) switch { 0 => "", 1 => "app=web", _ => "app!=web" }), Selector.Everything)
        {
            Limit = random.Next(1, 9),
        };
        var wanted = (await Store.ListAsync(query with { Limit = 0 }, Ct)).Items.Select(r => $"{r} {KrateJson.ToText(r.Body)}").ToList();

        var got = new List<string>();
        var page = await Store.ListAsync(query, Ct);
        var version = page.Version;
        while (true)
        {
            got.AddRange(page.Items.Select(r => $"{r} {KrateJson.ToText(r.Body)}"));
            Assert.Equal(version, page.Version);
            Assert.True(page.Items.Count == query.Limit || page.Continue is null);
            if (page.Continue is null) break;
            for (var i = random.Next(0, 12); i > 0; i--) await WriteSomethingAsync(random, ns, live);
            page = await Store.ListAsync(query with { Continue = page.Continue }, Ct);
        }

        Assert.Equal(wanted, got);
    }

    private async Task WriteSomethingAsync(Random random, string ns, Dictionary<string, Resource> live)
    {
        var name = $"n{random.Next(40):d2}";
        (string, string)[] labels = random.Next(3) switch { 0 => [("app", "web")], 1 => [("app", "api")], _ => [] };
        if (!live.TryGetValue(name, out var there))
        {
            live[name] = await CreateAsync(name, ns, labels: labels);
        }
        else if (random.Next(3) == 0)
        {
            await CommitAsync(Deleting(there));
            live.Remove(name);
        }
        else
        {
            live[name] = await UpdateAsync(there, b =>
            {
                b.Child("metadata")["labels"] = new JsonObject(labels.Select(l => new KeyValuePair<string, JsonNode?>(l.Item1, l.Item2)));
                b.Set("spec.n", random.Next());
            });
        }
    }
}
