using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Krate.Core.Resources;

/// <summary>Where instances of a kind live.</summary>
public enum KindScope
{
    /// <summary>A product kind in the namespace bound to an organization.</summary>
    Org,

    /// <summary>A product kind in the platform namespace <c>krate-system</c>.</summary>
    Platform,

    /// <summary>A native kind in any namespace.</summary>
    Namespaced,

    /// <summary>A native kind without a namespace.</summary>
    Cluster,
}

/// <summary>What may change after create.</summary>
public enum SpecMutability
{
    /// <summary>Desired state: the spec may change.</summary>
    Mutable,

    /// <summary>An execution request: the spec is fixed, except <see cref="KindDefinition.MutableSpecFields"/>.</summary>
    Fixed,

    /// <summary>A record: spec and status are fixed; retention may delete it.</summary>
    Whole,
}

/// <summary>A label that admission derives from the document, of its status as well.</summary>
public sealed record DerivedLabel(string Label, string Path)
{
    /// <summary>The value is a digest of the text, which may be any.</summary>
    public bool IsDigest { get; init; }

    /// <summary>Whether a write of the status changes it.</summary>
    internal bool IsOfStatus => Path.StartsWith("status.", StringComparison.Ordinal);

    /// <summary>The value for a document; null for none.</summary>
    public string? ValueFor(JsonObject document)
    {
        var text = FieldPath.Find(document, Path).Select(f => f.Value.Text()).FirstOrDefault(v => v is not null);
        if (text is not null && IsDigest) return DigestOf(text);
        return text is not null && MetadataRules.IsLabelValue(text) ? text : null;
    }

    /// <summary>What a label says of a text that is no label value: the begin of its SHA-256.</summary>
    public static string DigestOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
}

/// <summary>
/// One row of the table of kinds: everything that validation, defaulting, discovery, OpenAPI, printer columns, CRDs, docs,
/// index labels and the generic pages need to know. Data only; what needs an <c>if</c> is a rule function.
/// </summary>
public sealed class KindDefinition
{
    private readonly Lazy<SchemaNode> fields;
    private readonly Lazy<JsonObject> schema;
    private readonly Lazy<IReadOnlySet<string>> selectableLists;
    private readonly IReadOnlyList<string>? categories;
    private readonly IReadOnlyList<string>? selectableFields;

    public KindDefinition()
    {
        fields = new(() => SchemaBuilder.Shape(this), LazyThreadSafetyMode.ExecutionAndPublication);
        schema = new(() => Fields.ToJson(), LazyThreadSafetyMode.ExecutionAndPublication);
        selectableLists = new(
            () => SelectableFields.Where(f => Fields.At(f) is { Type: SchemaType.Array, Items.Type: SchemaType.String }).ToHashSet(),
            LazyThreadSafetyMode.ExecutionAndPublication);
    }

    public required string Kind { get; init; }

    public required string Plural { get; init; }

    /// <summary>API group; empty for the core group.</summary>
    public string Group { get; init; } = WellKnown.ApiGroup;

    public string Version { get; init; } = WellKnown.ApiVersion;

    public required KindScope Scope { get; init; }

    /// <summary>One sentence: what a resource of this kind is.</summary>
    public required string Description { get; init; }

    public string Singular => Kind.ToLowerInvariant();

    public IReadOnlyList<string> ShortNames { get; init; } = [];

    /// <summary>Names of groups of kinds for <c>kubectl get</c>; product kinds are in <c>krate</c> unless the row says more.</summary>
    public IReadOnlyList<string> Categories { get => categories ?? (IsProduct ? ["krate"] : []); init => categories = value; }

    /// <summary>Bounded context of spec 02 (<c>agents</c>, <c>identity</c>, <c>data-plane</c> ...).</summary>
    public string Context { get; init; } = "";

    /// <summary>Storage class of spec 02: <c>etcd</c>, <c>postgres</c>, <c>postgres/object-storage</c>, <c>postgres-projection</c>.</summary>
    public string Storage { get; init; } = "etcd";

    /// <summary>Navigation and docs area (<c>Stacks</c>, <c>Grants</c>, <c>Orgs</c> ...).</summary>
    public string Area { get; init; } = "";

    /// <summary>Typed spec record; null for native kinds without a spec.</summary>
    public Type? SpecType { get; init; }

    public Type? StatusType { get; init; }

    /// <summary>KubernetesClient's model of a native kind; its fields beside metadata are the document.</summary>
    public Type? NativeType { get; init; }

    /// <summary>Required fields of the spec, beside <c>organizationRef</c>, which admission fills in.</summary>
    public IReadOnlyList<string> RequiredSpec { get; init; } = [];

    /// <summary>Required fields of a native document by path without indexes (<c>roleRef</c>, <c>rules.verbs</c>).</summary>
    public IReadOnlyList<string> RequiredFields { get; init; } = [];

    /// <summary>What the fields of a native document mean, by path without indexes. Product records carry <c>[Description]</c>.</summary>
    public IReadOnlyDictionary<string, string> FieldDescriptions { get; init; } = new Dictionary<string, string>();

    /// <summary>Fields of the spec that the record does not name are kept.</summary>
    public bool PreserveUnknownSpec { get; init; }

    public bool HasStatus => StatusType is not null || NativeType is null;

    public IReadOnlyList<KindColumn> Columns { get; init; } = [];

    public IReadOnlyList<KindReference> References { get; init; } = [];

    public IReadOnlyList<DerivedLabel> DerivedLabels { get; init; } = [];

    /// <summary>Paths that a field selector may name beside metadata.name and metadata.namespace; indexed by the store.
    /// For product kinds <c>status.phase</c>, and <c>spec.repository</c> where there is one. A term on a list of strings asks
    /// whether the list has the value.</summary>
    public IReadOnlyList<string> SelectableFields
    {
        get => selectableFields ?? (!IsProduct ? [] : RepositoryPath == "spec.repository" ? ["status.phase", "spec.repository"] : ["status.phase"]);
        init => selectableFields = value;
    }

    /// <summary>Paths of texts by which the informer cache finds resources without going through all of the kind.</summary>
    public IReadOnlyList<string> CachedBy { get; init; } = [];

    /// <summary>Those of <see cref="SelectableFields"/> that the schema says hold a list of strings.</summary>
    public IReadOnlySet<string> SelectableLists => selectableLists.Value;

    public SpecMutability Mutability { get; init; } = SpecMutability.Mutable;

    /// <summary>Top-level spec fields that may change although the spec is fixed.</summary>
    public IReadOnlyList<string> MutableSpecFields { get; init; } = [];

    /// <summary>Top-level spec fields that may not change although the spec is mutable. For native kinds without a spec: top-level
    /// fields of the document (<c>roleRef</c>, <c>type</c>).</summary>
    public IReadOnlyList<string> FixedSpecFields { get; init; } = [];

    /// <summary>Top-level status fields that keep their first value.</summary>
    public IReadOnlyList<string> WriteOnceStatus { get; init; } = [];

    /// <summary>No client may create, change or give a status to it, whatever its RBAC (spec 02).</summary>
    public bool ServerMade { get; init; }

    /// <summary>Clients make it, but its status is not theirs to write: Krate finds it out, or they say how it goes by its actions.</summary>
    public bool ServerStatus { get; init; }

    /// <summary>Served from a table of its own: get, list and watch only (AuditEvent).</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Reviews: POST only, never stored.</summary>
    public bool CreateOnly { get; init; }

    /// <summary>Prefix of generated names with a lower-case ULID (<c>adr-</c>); null for kinds that people name.</summary>
    public string? NamePrefix { get; init; }

    /// <summary>Numbered per repository: <c>spec.number</c> is allocated at commit (Issue, PullRequest).</summary>
    public bool Numbered { get; init; }

    /// <summary>Listed by when it was made, within a repository and in the whole org: <c>status.order</c> is set at create.</summary>
    public bool OrderedByCreation { get; init; }

    /// <summary><c>spec.author</c> is whoever creates it; nobody speaks for others.</summary>
    public bool Authored { get; init; }

    /// <summary>Path of a text whose last author admission keeps as <c>status.author</c>; null for none.</summary>
    public string? AuthorOf { get; init; }

    /// <summary>The status remembers who last changed the spec (<c>requestedBy</c> and what goes with it), so that their rights can be asked for again.</summary>
    public bool RemembersRequester { get; init; }

    /// <summary>Path of a text whose @names become <c>status.mentions</c>; null for none.</summary>
    public string? MentionsIn { get; init; }

    /// <summary><c>status.phase</c> of a new resource, where no reconciler has to find it out.</summary>
    public string? FirstPhase { get; init; }

    /// <summary>Longest name; 63 where the name becomes a label value, else 253.</summary>
    public int MaxNameLength { get; init; } = 63;

    /// <summary>Subresources that are product actions, each authorised by the verb of its name unless mapped otherwise.</summary>
    public IReadOnlyList<string> Actions { get; init; } = [];

    /// <summary>Those of <see cref="Actions"/> whose body is bytes instead of a document.</summary>
    public IReadOnlyList<string> ByteActions { get; init; } = [];

    /// <summary>Path of the field that names the repository this resource belongs to; null when it has none.
    /// For indirect kinds the path of a reference to a resource that has one (<c>spec.pullRequest</c>).</summary>
    public string? RepositoryPath { get; init; }

    /// <summary>Fills in defaults on a copy before validation. Pure.</summary>
    public Action<JsonObject>? Default { get; init; }

    /// <summary>Rules on a document as it came in, before unknown fields are dropped (they may be the very thing that is refused). Pure.</summary>
    public Func<JsonObject, IEnumerable<FieldError>>? Inspect { get; init; }

    /// <summary>Rules beyond the structural schema. Pure; errors name the field.</summary>
    public Func<JsonObject, IEnumerable<FieldError>>? Validate { get; init; }

    /// <summary>Whether a resource lives in a namespace.</summary>
    public bool IsNamespaced => Scope != KindScope.Cluster;

    public bool IsProduct => Scope is KindScope.Org or KindScope.Platform;

    public bool IsExecution => IsProduct && Storage != "etcd";

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary><c>agentstacks.krate.a5c.ai</c>, as Kubernetes names a resource in messages.</summary>
    public string QualifiedPlural => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    /// <summary>The structural schema as objects: what validation and pruning walk.</summary>
    public SchemaNode Fields => fields.Value;

    /// <summary>OpenAPI v3 structural schema of the whole document (apiVersion, kind, metadata by $ref, spec, status). Shared; never changed.</summary>
    public JsonObject Schema => schema.Value;

    public override string ToString() => QualifiedPlural;
}

/// <summary>All kinds, looked up by name, by plural and by group. Immutable.</summary>
public sealed class KindCatalog
{
    private readonly Dictionary<string, KindDefinition> byKind;
    private readonly Dictionary<(string Group, string Plural), KindDefinition> byPlural;

    public KindCatalog(IEnumerable<KindDefinition> kinds)
    {
        All = [.. kinds];
        byKind = All.ToDictionary(k => k.Kind, StringComparer.Ordinal);
        byPlural = All.ToDictionary(k => (k.Group, k.Plural));
    }

    public IReadOnlyList<KindDefinition> All { get; }

    public KindDefinition this[string kind] => byKind.TryGetValue(kind, out var k) ? k : throw new KeyNotFoundException($"no kind named {kind}");

    public KindDefinition? Find(string kind) => byKind.GetValueOrDefault(kind);

    public KindDefinition? FindPlural(string group, string plural) => byPlural.GetValueOrDefault((group, plural));
}
