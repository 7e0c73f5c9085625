using Krate.Web.Hosting.SignIn;
using Xunit;

namespace Krate.Tests.Hosting;

public sealed class LocalUrlTests
{
    [Theory]
    [InlineData("/", "/")]
    [InlineData("/orgs/acme?tab=a#b", "/orgs/acme?tab=a#b")]
    [InlineData("/orgs?next=https://evil.example", "/orgs?next=https://evil.example")]
    [InlineData("//evil.example", "/")]
    [InlineData("/\\evil.example", "/")]
    [InlineData("/\t/evil.example", "/")]
    [InlineData("/\n/evil.example", "/")]
    [InlineData("\\\\evil.example", "/")]
    [InlineData("https://evil.example", "/")]
    [InlineData("javascript:alert(1)", "/")]
    [InlineData("orgs", "/")]
    [InlineData("~/x", "/")]
    [InlineData("", "/")]
    [InlineData(null, "/")]
    public void A_redirect_stays_on_this_site(string? asked, string given) => Assert.Equal(given, LocalUrl.OrHome(asked));
}
