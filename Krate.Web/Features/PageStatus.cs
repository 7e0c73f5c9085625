using Microsoft.AspNetCore.Components;

namespace Krate.Web.Features;

/// <summary>Lets a page say that what its address names is not there: the answer is 404, and the not-found page has these words. Scoped.</summary>
public sealed class PageStatus(NavigationManager navigation)
{
    /// <summary>What was not found; null for an address that leads nowhere.</summary>
    public MissingPage? Missing { get; private set; }

    public void NotFound(MissingPage missing)
    {
        Missing = missing;
        navigation.NotFound();
    }
}

/// <param name="Address">For which address this holds.</param>
/// <param name="Link">Where to go instead, and how that is called.</param>
public sealed record MissingPage(string Address, string Title, string Text, (string Href, string Text) Link);
