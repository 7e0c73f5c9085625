using Krate.Web.Components.Code;
using Krate.Web.Components.Markdown;

namespace Krate.Web.Features.Code;

internal static class CodeServices
{
    public static IServiceCollection AddCodePages(this IServiceCollection services) => services
        .AddSingleton<CodeHighlighter>()
        .AddSingleton<MarkdownRenderer>()
        .AddSingleton<CodeReader>()
        .AddSingleton<FilePaths>()
        .AddScoped<CodeAddress>();
}
