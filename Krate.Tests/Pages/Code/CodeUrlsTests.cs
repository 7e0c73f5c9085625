using FsCheck;
using FsCheck.Xunit;
using Krate.Web.Features.Code;
using Xunit;

namespace Krate.Tests.Pages.Code;

public sealed class CodeUrlsTests
{
    private static readonly CodeUrls Urls = new("acme", "web");

    [Property]
    public void Every_path_comes_back_from_its_address(NonEmptyString text)
    {
        // Not in names of files: nothing, dots, NUL and halves of characters.
        var path = string.Join('/', text.Get.Replace("\0", "", StringComparison.Ordinal).Split('/').Where(p => p is not ("" or "." or "..")));
        path = new string([.. path.Where(c => !char.IsSurrogate(c))]);
        if (path.Length == 0) return;
        var address = Urls.Blob("fix/it", path);
        Assert.Equal($"fix/it/{path}", CodeUrls.RestOf(address));
        Assert.Matches("^[A-Za-z0-9/._~%-]+$", address);
    }

    [Theory]
    [InlineData("/orgs/acme/repositories/web", "")]
    [InlineData("/orgs/acme/repositories/web/tree/main?plain=1#L3", "main")]
    [InlineData("orgs/acme/repositories/web/blob/main/a%252Fb", "main/a%2Fb")]
    public void The_rest_of_an_address_is_read_once(string address, string rest) => Assert.Equal(rest, CodeUrls.RestOf(address));
}
