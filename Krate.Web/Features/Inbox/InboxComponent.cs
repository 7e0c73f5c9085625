using Krate.Core.Gateway;
using Krate.Core.Kinds;
using Krate.Core.Resources;
using Krate.Web.Live;
using Microsoft.AspNetCore.Components;

namespace Krate.Web.Features.Inbox;

/// <summary>A component that shows what waits for the person who looks: the bell and the Inbox ask the same question.</summary>
public abstract class InboxComponent : LiveComponent
{
    private const string Scope = "inbox";
    private LiveQuery[] mentions = [];
    private LiveQuery? asked, reviews, failed;
    private IReadOnlyDictionary<string, string> done = new Dictionary<string, string>();
    private string user = "";

    [Inject]
    public required IPersonMarks Marks { get; init; }

    [Parameter, EditorRequired]
    public Place Place { get; set; } = null!;

    protected IReadOnlyList<InboxItem> All { get; private set; } = [];

    protected IEnumerable<InboxItem> Waiting => All.Where(i => !IsDone(i));

    protected bool IsDone(InboxItem item) => done.GetValueOrDefault(item.Id) == item.Version;

    public override async ValueTask DisposeAsync()
    {
        Marks.Changed -= MarksChanged;
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected override void OnInitialized() => Marks.Changed += MarksChanged;

    protected override async Task OnParametersSetAsync()
    {
        var actor = await CurrentActor.GetAsync(Gone);
        user = actor.User;
        // A name with a comma cannot be asked for.
        if (user == WellKnown.AnonymousUser || user.Contains(',', StringComparison.Ordinal)) return;
        asked = await FollowAsync("asked", "PullRequest", $"status.phase=Open,spec.reviewers={user}");
        reviews = await FollowAsync("reviews", "Review", $"spec.author={user}");
        mentions =
        [
            await FollowAsync("comments", "Comment", $"status.mentions={user}"), await FollowAsync("issues", "Issue", $"status.phase=Open,status.mentions={user}"),
            await FollowAsync("pulls", "PullRequest", $"status.phase=Open,status.mentions={user}"),
        ];
        failed = await FollowAsync("runs", "Pipeline", $"status.phase={RunPhase.Failed},status.startedBy={user},!status.supersededBy");
        done = await Carrier.LoadAsync(RendererInfo, $"{GetType().Name}|done|{user}", () => Marks.OfAsync(actor, Scope, Gone));
        Compose();
    }

    protected override void OnLive(LiveQuery query) => Compose();

    /// <summary>Puts an item aside until it changes, or takes it back.</summary>
    protected async Task SetDoneAsync(InboxItem item, bool isDone) => await Marks.SetAsync(await CurrentActor.GetAsync(Gone), Scope, item.Id, isDone ? item.Version : null, Gone);

    private Task<LiveQuery> FollowAsync(string name, string kind, string fields) => WatchAsync(name, new LiveSource(Catalog[kind], Place.Namespace) { Fields = Selector.Parse(fields) });

    private void Compose()
    {
        if (asked is not null && reviews is not null && failed is not null) All = InboxItem.Of(user, Place, Items(asked), [.. Items(reviews)], mentions.SelectMany(Items), Items(failed));

        static IEnumerable<Resource> Items(LiveQuery query) => query.Rows.Select(r => r.Resource);
    }

    private void MarksChanged(string person, string scope)
    {
        if (person == user && scope == Scope) _ = InvokeAsync(ReloadAsync);
    }

    private async Task ReloadAsync()
    {
        try
        {
            done = await Marks.OfAsync(await CurrentActor.GetAsync(Gone), Scope, Gone);
            RenderSoon();
        }
        catch (Exception e) when (e is ApiException or OperationCanceledException or ObjectDisposedException)
        {
            // What was known stays on the page.
        }
    }
}
