using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Store;

public abstract partial class StoreContract
{
    [Fact]
    public async Task A_mark_is_of_one_person_one_scope_and_one_version_and_can_be_taken_away()
    {
        await Store.Marks.SetAsync("mira", "viewed 1", "a", "v1", Ct);
        await Store.Marks.SetAsync("mira", "viewed 1", "a", "v2", Ct);
        await Store.Marks.SetAsync("mira", "viewed 1", "b", "v1", Ct);
        await Store.Marks.SetAsync("lumi", "viewed 1", "a", "v9", Ct);

        Assert.Equal("a=v2 b=v1", await MarksOfAsync("mira", "viewed 1"));
        Assert.Equal("", await MarksOfAsync("mira", "viewed 2"));
        await Store.Marks.SetAsync("mira", "viewed 1", "a", null, Ct);
        await Store.Marks.SetAsync("mira", "viewed 1", "never", null, Ct);
        Assert.Equal("b=v1", await MarksOfAsync("mira", "viewed 1"));
        Assert.Equal("a=v9", await MarksOfAsync("lumi", "viewed 1"));
        Assert.Equal(422, (await Assert.ThrowsAsync<ApiException>(() => Store.Marks.SetAsync("mira", "viewed 1", new string('x', 257), "v1", Ct))).Code);
        Assert.Equal(422, (await Assert.ThrowsAsync<ApiException>(() => Store.Marks.SetAsync("mira", "viewed 1", "\0", "v1", Ct))).Code);
    }

    private async Task<string> MarksOfAsync(string person, string scope) => string.Join(' ', (await Store.Marks.OfAsync(person, scope, Ct)).OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => $"{m.Key}={m.Value}"));
}
