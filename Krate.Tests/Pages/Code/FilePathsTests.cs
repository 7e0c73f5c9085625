using Krate.Web.Features.Code;
using Xunit;

namespace Krate.Tests.Pages.Code;

public sealed class FilePathsTests
{
    private static readonly string[] Paths = ["README.md", "internal/settlement/backoff.go", "internal/settlement/backoff_test.go", "internal/settlement/batch.go", "docs/batch.md", "cmd/main.go"];

    [Theory]
    [InlineData("backoff", "internal/settlement/backoff.go")]
    [InlineData("isbatch", "internal/settlement/batch.go")]
    [InlineData("batch md", "docs/batch.md")]
    [InlineData("MAIN", "cmd/main.go")]
    public void The_letters_in_their_order_find_the_file(string text, string best) => Assert.Equal(best, FilePaths.Find(Paths, text, 5)[0]);

    [Fact]
    public void Letters_that_are_not_there_find_nothing_and_none_find_all_up_to_a_bound()
    {
        Assert.Empty(FilePaths.Find(Paths, "xyz", 5));
        Assert.Equal(2, FilePaths.Find(Paths, "", 2).Count);
    }
}
