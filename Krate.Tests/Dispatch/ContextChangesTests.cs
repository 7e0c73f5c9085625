using System.Text.Json.Nodes;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Dispatch;

/// <summary>What a pinned context says of one of now.</summary>
public sealed class ContextChangesTests
{
    private const string Pinned = """{"digest":"d1","layers":[{"name":"task","digest":"t1"}],"sources":[{"kind":"issue","name":"shop-1","digest":"i1"},{"kind":"file","path":"a.txt","digest":"a1"}]}""";

    [Theory]
    [InlineData("""{"digest":"d1","layers":[],"sources":[]}""", "")]
    [InlineData("""{"digest":"d2","layers":[{"name":"task","digest":"t1"}],"sources":[{"kind":"issue","name":"shop-1","digest":"i2"},{"kind":"file","path":"a.txt","digest":"a1"}]}""", "issue shop-1 changed")]
    [InlineData("""{"digest":"d2","layers":[{"name":"task","digest":"t2"}],"sources":[{"kind":"file","path":"a.txt","digest":"a1"},{"kind":"file","path":"b.txt","digest":"b1"}]}""", "issue shop-1 gone, file b.txt added, layer task changed")]
    public void Parts_are_compared_by_digest_when_the_whole_differs(string now, string changes) =>
        Assert.Equal(changes, string.Join(", ", ContextChanges.Between(KrateJson.ParseObject(Pinned), JsonNode.Parse(now)).Select(c => $"{c.What} {c.How}")));
}
